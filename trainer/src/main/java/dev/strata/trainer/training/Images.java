package dev.strata.trainer.training;

import dev.strata.graph.Tensor;
import dev.strata.trainer.data.Idx;
import dev.strata.trainer.data.Npz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/// Labelled images of 8-bit pixels.
final class Images {
  private final int count;
  private final int channels;
  private final int height;
  private final int width;
  private final byte[] pixels;
  private final int[] labels;

  private Images(int channels, int height, int width, byte[] pixels, int[] labels) {
    this.count = labels.length;
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.pixels = pixels;
    this.labels = labels;
  }

  /// @param pixels `[count][channels][height][width]`, unsigned; kept
  static Images of(
      String name, int channels, int height, int width, byte[] pixels, int[] labels, int limit) {
    int size = channels * height * width;
    if (labels.length == 0 || pixels.length != (long) labels.length * size) {
      throw new InvalidRunException(
          "%s: got %d pixels for %d labels, expected %d each"
              .formatted(name, pixels.length, labels.length, size));
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] > 65_535) {
        throw new InvalidRunException(
            "%s: label %d is %d, expected 0 to 65535".formatted(name, i, labels[i]));
      }
    }
    int kept = Math.min(limit, labels.length);
    return new Images(
        channels,
        height,
        width,
        kept == labels.length ? pixels : java.util.Arrays.copyOf(pixels, kept * size),
        java.util.Arrays.copyOf(labels, kept));
  }

  /// Grey square images.
  static Images readIdx(Path imageFile, Path labelFile, int limit) throws IOException {
    Idx images = Idx.read(imageFile);
    Idx labels = Idx.read(labelFile);
    int side = (int) Math.round(Math.sqrt(images.sampleSize()));
    if (side * side != images.sampleSize() || labels.sampleSize() != 1) {
      throw new InvalidRunException(
          "%s: got %d pixels an image, expected squares with one label each"
              .formatted(imageFile, images.sampleSize()));
    }
    if (images.samples() != labels.samples()) {
      throw new InvalidRunException(
          "%s: got %d labels for %d images"
              .formatted(labelFile, labels.samples(), images.samples()));
    }
    byte[] pixels = new byte[images.samples() * images.sampleSize()];
    int[] classes = new int[labels.samples()];
    for (int i = 0; i < classes.length; i++) {
      classes[i] = labels.value(i, 0);
      for (int j = 0; j < images.sampleSize(); j++) {
        pixels[i * images.sampleSize() + j] = (byte) images.value(i, j);
      }
    }
    return of(imageFile.toString(), 1, side, side, pixels, classes, limit);
  }

  /// Arrays `images` FP32 `[n, channels, height, width]` in 0..1 and `labels` INT64 `[n]`. Pixels
  /// are kept in 8 bits.
  static Images readNpz(Path file, int limit) throws IOException {
    Map<String, Tensor> arrays = Npz.read(file);
    Tensor images = arrays.get("images");
    Tensor labels = arrays.get("labels");
    if (images == null || labels == null || images.shape().rank() != 4) {
      throw new InvalidRunException(
          "%s: got arrays %s, expected 'images' [n, channels, height, width] and 'labels' [n]"
              .formatted(file, arrays.keySet()));
    }
    float[] values = images.toFloats();
    byte[] pixels = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0 && values[i] <= 1)) {
        throw new InvalidRunException(
            "%s: images: got %s, expected 0 to 1".formatted(file, values[i]));
      }
      pixels[i] = (byte) Math.round(values[i] * 255);
    }
    int[] classes = java.util.Arrays.stream(labels.toLongs()).mapToInt(Math::toIntExact).toArray();
    return of(
        file.toString(),
        (int) images.shape().dim(1),
        (int) images.shape().dim(2),
        (int) images.shape().dim(3),
        pixels,
        classes,
        limit);
  }

  int count() {
    return count;
  }

  int channels() {
    return channels;
  }

  int height() {
    return height;
  }

  int width() {
    return width;
  }

  int label(int index) {
    return labels[index];
  }

  int classes() {
    return java.util.Arrays.stream(labels).max().orElseThrow() + 1;
  }

  int size() {
    return channels * height * width;
  }

  /// Writes an image in 0..1, moved and mirrored; what comes in from outside is 0.
  ///
  /// @param into `[channels][height][width]` from `at` on
  void copy(int index, int down, int right, boolean mirrored, float[] into, int at) {
    for (int channel = 0; channel < channels; channel++) {
      for (int y = 0; y < height; y++) {
        int row = y - down;
        int to = at + (channel * height + y) * width;
        for (int x = 0; x < width; x++) {
          int column = (mirrored ? width - 1 - x : x) - right;
          boolean inside = row >= 0 && row < height && column >= 0 && column < width;
          int from = index * size() + (channel * height + row) * width + column;
          into[to + x] = inside ? (pixels[from] & 0xff) / 255f : 0;
        }
      }
    }
  }

  /// SHA-256 over sizes, pixels and labels.
  String sha256() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(
          "%d %d %d %d"
              .formatted(count, channels, height, width)
              .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      digest.update(pixels);
      for (int label : labels) {
        digest.update((byte) label);
        digest.update((byte) (label >> 8));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static void requireFile(String key, Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidRunException("%s: there is no file '%s'".formatted(key, file));
    }
  }
}
