package dev.strata.processing;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// A PNG or JPEG file as rows of samples in 0..1. The header is read and its size checked before
/// any pixel is decoded, so a small file cannot ask for much memory. Transparency is ignored.
public final class DecodedImage {

  static final int MAX_ENCODED_BYTES = 16 << 20;
  static final long MAX_PIXELS = 40_000_000;

  private final BufferedImage image;
  private final boolean grey;

  private DecodedImage(BufferedImage image) {
    this.image = image;
    this.grey = image.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY;
  }

  /// @throws UnusableImageException saying what was got and what was expected
  public static DecodedImage decode(byte[] file) throws UnusableImageException {
    if (file.length > MAX_ENCODED_BYTES) {
      throw new UnusableImageException(
          "got a file of %d bytes, expected at most %d".formatted(file.length, MAX_ENCODED_BYTES));
    }
    ImageReader reader = ImageIO.getImageReadersByFormatName(format(file)).next();
    try (var stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      reader.setInput(stream, true, true);
      long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
      if (pixels > MAX_PIXELS) {
        throw new UnusableImageException(
            "got %d x %d pixels, expected at most %d pixels"
                .formatted(reader.getWidth(0), reader.getHeight(0), MAX_PIXELS));
      }
      return new DecodedImage(reader.read(0));
    } catch (UnusableImageException alreadySaid) {
      throw alreadySaid;
    } catch (IOException | RuntimeException damaged) {
      // The JDK's readers answer damaged files with many kinds of runtime exceptions.
      throw new UnusableImageException(
          "got a %s of %d bytes that cannot be decoded"
              .formatted(format(file).toUpperCase(java.util.Locale.ROOT), file.length));
    } finally {
      reader.dispose();
    }
  }

  private static String format(byte[] file) throws UnusableImageException {
    if (startsWith(file, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n')) {
      return "png";
    }
    if (startsWith(file, 0xFF, 0xD8, 0xFF)) {
      return "jpeg";
    }
    throw new UnusableImageException(
        "got %d bytes that are neither PNG nor JPEG".formatted(file.length));
  }

  private static boolean startsWith(byte[] file, int... magic) {
    if (file.length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((file[i] & 0xFF) != magic[i]) {
        return false;
      }
    }
    return true;
  }

  public int width() {
    return image.getWidth();
  }

  public int height() {
    return image.getHeight();
  }

  /// One row, `[width][3]` red, green, blue in 0..1. Grey samples are taken as they are stored:
  /// the colour model's own conversion would apply a gamma curve to them.
  float[] row(int y) {
    int width = width();
    float[] samples = new float[3 * width];
    if (grey) {
      Raster raster = image.getRaster();
      float top = (1 << raster.getSampleModel().getSampleSize(0)) - 1;
      int[] line = raster.getSamples(0, y, width, 1, 0, (int[]) null);
      for (int x = 0; x < width; x++) {
        float value = line[x] / top;
        samples[3 * x] = value;
        samples[3 * x + 1] = value;
        samples[3 * x + 2] = value;
      }
      return samples;
    }
    int[] line = image.getRGB(0, y, width, 1, null, 0, width);
    for (int x = 0; x < width; x++) {
      samples[3 * x] = (line[x] >> 16 & 0xFF) / 255f;
      samples[3 * x + 1] = (line[x] >> 8 & 0xFF) / 255f;
      samples[3 * x + 2] = (line[x] & 0xFF) / 255f;
    }
    return samples;
  }
}
