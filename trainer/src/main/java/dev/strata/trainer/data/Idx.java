package dev.strata.trainer.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// The IDX format of MNIST and its kin, plain or gzipped: unsigned bytes with a big-endian header.
///
/// @param dims sizes, samples first
/// @param values row-major
public record Idx(int[] dims, byte[] values) {
  private static final int UNSIGNED_BYTES = 0x08;

  public int samples() {
    return dims[0];
  }

  /// Values of one sample.
  public int sampleSize() {
    return values.length / dims[0];
  }

  /// @return element `index` of sample `sample`, 0..255
  public int value(int sample, int index) {
    return values[sample * sampleSize() + index] & 0xff;
  }

  public static Idx read(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return read(in, path.toString());
    }
  }

  /// @param name of the source, for messages
  public static Idx read(InputStream source, String name) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(source);
    buffered.mark(2);
    boolean gzipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
    buffered.reset();
    DataInputStream in =
        new DataInputStream(gzipped ? new GZIPInputStream(buffered, 1 << 16) : buffered);
    int magic = in.readInt();
    int rank = magic & 0xff;
    if (magic >>> 8 != UNSIGNED_BYTES || rank < 1 || rank > 8) {
      throw new IOException(
          "%s: got IDX magic 0x%08x, expected 0x000008 and 1 to 8 dimensions"
              .formatted(name, magic));
    }
    int[] dims = new int[rank];
    long total = 1;
    for (int i = 0; i < rank; i++) {
      dims[i] = in.readInt();
      if (dims[i] < 1 || dims[i] > Integer.MAX_VALUE / total) {
        throw new IOException("%s: dimension %d is %d".formatted(name, i, dims[i]));
      }
      total *= dims[i];
    }
    byte[] values = in.readNBytes((int) total);
    if (values.length != total) {
      throw new IOException("%s: got %d values, expected %d".formatted(name, values.length, total));
    }
    return new Idx(dims, values);
  }
}
