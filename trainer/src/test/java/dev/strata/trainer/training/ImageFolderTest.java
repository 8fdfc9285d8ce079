package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
  private static final String PLAIN = "data: {source: folder, path: '%s'}";

  @TempDir Path folder;

  @BeforeEach
  void fill() throws IOException {
    for (String part : List.of("train", "test")) {
      image(part + "/dark/1.png", 4, 3, 0x101010);
      image(part + "/dark/2.bmp", 4, 3, 0x202020);
      image(part + "/bright/1.png", 4, 3, 0xe0e0e0);
    }
  }

  @Test
  void labelsAreSortedAndSamplesTakeTurns() throws IOException {
    TrainingData data = read(PLAIN);
    assertEquals(List.of("bright", "dark"), data.labels());
    assertEquals(3, data.train().count());
    assertEquals(List.of(0, 1, 1), List.of(label(data, 0), label(data, 1), label(data, 2)));
    assertEquals(1, data.train().channels(), "all are grey");
    assertEquals(List.of(3, 4), List.of(data.train().height(), data.train().width()));
    assertEquals(0x20 / 255f, pixels(data.train(), 2)[5], "the bitmap");
  }

  @Test
  void oneColouredFileMakesAllColoured() throws IOException {
    image("test/dark/3.png", 4, 3, 0xff8000);
    TrainingData data = read(PLAIN);
    assertEquals(3, data.train().channels());
    float[] coloured = pixels(data.test(), 3);
    assertEquals(List.of(1f, 0x80 / 255f, 0f), List.of(coloured[0], coloured[12], coloured[24]));
  }

  @Test
  void sizeAndColourCanBeAskedFor() throws IOException {
    image("train/dark/3.png", 9, 7, 0xff8000);
    TrainingData data =
        read("data: {source: folder, path: '%s', image: {channels: 1, height: 5, width: 6}}");
    assertEquals(List.of(1, 5, 6), sizes(data.train()));
    float luma = 0.299f + 0.587f * 0x80 / 255f;
    assertEquals(luma, pixels(data.train(), 3)[7], 0.5f / 255);
    data = read("data: {source: folder, path: '%s', image: {channels: 3, height: 5, width: 6}}");
    assertEquals(List.of(3, 5, 6), sizes(data.train()));
  }

  @Test
  void theHashIsOfNamesAndContents() throws IOException {
    String hash = read(PLAIN).sha256();
    assertEquals(hash, read(PLAIN).sha256());
    image("train/dark/1.png", 4, 3, 0x111111);
    String other = read(PLAIN).sha256();
    assertNotEquals(hash, other);
    Files.move(folder.resolve("train/dark/1.png"), folder.resolve("train/dark/0.png"));
    assertNotEquals(other, read(PLAIN).sha256());
  }

  @Test
  void whatCannotBeUsedIsNamed() throws IOException {
    image("train/dark/3.png", 9, 7, 0);
    requireError("data.image: is missing, and '%s' has 9 x 7 pixels", "train/dark/3.png");
    Files.writeString(folder.resolve("train/dark/3.png"), "no image");
    requireError("data.path: '%s': got 8 bytes that are neither", "train/dark/3.png");
    Files.delete(folder.resolve("train/dark/3.png"));
    Files.writeString(folder.resolve("test/dark/3.bmp"), "BM no image");
    requireError("data.path: '%s': got 11 bytes that are neither", "test/dark/3.bmp");
    Files.delete(folder.resolve("test/dark/3.bmp"));
    Files.delete(folder.resolve("test/bright/1.png"));
    requireError("data.path: there are no PNG, JPEG or BMP files in '%s'", "test/bright");
    Files.delete(folder.resolve("test/bright"));
    requireError("data.path: got the classes [dark] in '%s', expected", "test");
  }

  @Test
  void sizesThatMakeNoSenseAreRefused() {
    for (String wrong :
        List.of(
            "data: {source: folder, path: '%s', image: {height: 5}}",
            "data: {source: folder, path: '%s', image: {channels: 2}}",
            "data: {source: npz, path: '%s', image: {channels: 1}}")) {
      InvalidRunException told = assertThrows(InvalidRunException.class, () -> read(wrong));
      assertTrue(told.getMessage().startsWith("data.image"), told.getMessage());
    }
  }

  private void requireError(String expected, String named) {
    InvalidRunException told = assertThrows(InvalidRunException.class, () -> read(PLAIN));
    String start = expected.formatted(folder.resolve(named));
    assertTrue(told.getMessage().startsWith(start), told.getMessage());
  }

  private TrainingData read(String keys) throws IOException {
    RunFile run = RunFile.parse("name: a\n" + keys.formatted(folder));
    return TrainingData.read(run.data(), folder);
  }

  private static int label(TrainingData data, int index) {
    return data.train().label(index);
  }

  private static List<Integer> sizes(Images images) {
    return List.of(images.channels(), images.height(), images.width());
  }

  private static float[] pixels(Images images, int index) {
    return TrainingRun.pixels(images, index, 1);
  }

  private void image(String name, int width, int height, int colour) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, colour);
      }
    }
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    String format = name.substring(name.lastIndexOf('.') + 1);
    if (!ImageIO.write(image, format, file.toFile())) {
      throw new IOException("no writer for " + format);
    }
  }
}
