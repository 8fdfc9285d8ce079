package dev.strata.gateway;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// Noisy images in MNIST's format; the class is the brighter quarter.
final class Corners {
  private static final int SIDE = 8;

  private Corners() {}

  /// @param part `train` or `t10k`
  static void write(Path folder, String part, int count, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer images = ByteBuffer.allocate(16 + count * SIDE * SIDE);
    ByteBuffer labels = ByteBuffer.allocate(8 + count);
    images.putInt(0x803).putInt(count).putInt(SIDE).putInt(SIDE);
    labels.putInt(0x801).putInt(count);
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(4);
      labels.put((byte) label);
      for (int at = 0; at < SIDE * SIDE; at++) {
        int quarter = 2 * (at / SIDE * 2 / SIDE) + at % SIDE * 2 / SIDE;
        images.put((byte) (random.nextInt(200) + (quarter == label ? 50 : 0)));
      }
    }
    Files.write(folder.resolve(part + "-images-idx3-ubyte.gz"), images.array());
    Files.write(folder.resolve(part + "-labels-idx1-ubyte.gz"), labels.array());
  }
}
