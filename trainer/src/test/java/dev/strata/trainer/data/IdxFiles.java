package dev.strata.trainer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntUnaryOperator;

/// Writes small data sets as MNIST names and lays out its files.
public final class IdxFiles {
  private IdxFiles() {}

  /// What a picture shows.
  @FunctionalInterface
  public interface Picture {
    /// @return 0 to 255
    int pixel(int label, int x, int y);
  }

  /// @param part `train` or `t10k`
  /// @param label of each image by its number, asked for before its pixels
  public static void write(
      Path folder, String part, int count, int side, IntUnaryOperator label, Picture picture)
      throws IOException {
    ByteBuffer images = ByteBuffer.allocate(16 + count * side * side);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(side).putInt(side);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      int of = label.applyAsInt(i);
      labels.put((byte) of);
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          images.put((byte) picture.pixel(of, x, y));
        }
      }
    }
    Files.write(folder.resolve(part + "-images-idx3-ubyte.gz"), images.array());
    Files.write(folder.resolve(part + "-labels-idx1-ubyte.gz"), labels.array());
  }
}
