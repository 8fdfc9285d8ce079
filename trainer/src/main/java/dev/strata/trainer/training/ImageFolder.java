package dev.strata.trainer.training;

import dev.strata.graph.Preprocessing;
import dev.strata.processing.DecodedImage;
import dev.strata.processing.ImagePreparation;
import dev.strata.processing.UnusableImageException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/// Image files by class: `train/LABEL/*` and `test/LABEL/*`. They become pixels as the runtime
/// makes them from a client's files, so that a file gives the same answer in training and served.
final class ImageFolder {
  private static final int COLOURS = 3;

  private final Path root;
  private final RunFile.ImageSize wanted;
  private final TreeMap<String, String> checksums = new TreeMap<>();

  private ImageFolder(Path root, RunFile.ImageSize wanted) {
    this.root = root;
    this.wanted = wanted;
  }

  /// Classes are numbered in the order of their names. Samples take turns by class, so that the
  /// first so many are of all classes.
  ///
  /// @throws InvalidRunException naming the file or folder that cannot be used
  static TrainingData read(Path root, RunFile.Data wanted) throws IOException {
    ImageFolder folder = new ImageFolder(root, wanted.image());
    List<String> labels = folder.labels("train");
    List<String> tested = folder.labels("test");
    if (!tested.equals(labels)) {
      throw new InvalidRunException(
          "data.path: got the classes %s in '%s', expected those of train, %s"
              .formatted(tested, root.resolve("test"), labels));
    }
    List<Sample> train = folder.samples("train", labels, wanted.trainSamples());
    List<Sample> test = folder.samples("test", labels, wanted.testSamples());
    ImagePreparation preparation = folder.preparation(train.getFirst());
    List<byte[]> ofTrain = folder.pixels(train, preparation);
    List<byte[]> ofTest = folder.pixels(test, preparation);
    if (wanted.image().channels() == 0 && isGrey(ofTrain) && isGrey(ofTest)) {
      ofTrain.replaceAll(ImageFolder::firstPlane);
      ofTest.replaceAll(ImageFolder::firstPlane);
    }
    return new TrainingData(
        images("train", train, ofTrain, preparation.image()),
        images("test", test, ofTest, preparation.image()),
        labels,
        folder.sha256());
  }

  private record Sample(Path file, int label) {}

  private List<String> labels(String part) throws IOException {
    Path folder = root.resolve(part);
    if (!Files.isDirectory(folder)) {
      throw new InvalidRunException(
          "data.path: there is no folder '%s', expected one with a folder for each class"
              .formatted(folder));
    }
    List<String> labels =
        names(folder, Files::isDirectory).stream().filter(name -> !name.startsWith(".")).toList();
    if (labels.size() < 2) {
      throw new InvalidRunException(
          "data.path: got the classes %s in '%s', expected at least two folders"
              .formatted(labels, folder));
    }
    return labels;
  }

  private static List<String> names(Path folder, Predicate<Path> kept) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(kept).map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  private static boolean isImage(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return Files.isRegularFile(file) && name.matches("[^.].*\\.(png|jpg|jpeg|bmp)");
  }

  private List<Sample> samples(String part, List<String> labels, int limit) throws IOException {
    Map<Integer, List<Sample>> byTurn = new TreeMap<>();
    for (int label = 0; label < labels.size(); label++) {
      Path folder = root.resolve(part).resolve(labels.get(label));
      List<String> names = names(folder, ImageFolder::isImage);
      if (names.isEmpty()) {
        throw new InvalidRunException(
            "data.path: there are no PNG, JPEG or BMP files in '%s'".formatted(folder));
      }
      for (int turn = 0; turn < names.size(); turn++) {
        byTurn
            .computeIfAbsent(turn, _ -> new ArrayList<>())
            .add(new Sample(folder.resolve(names.get(turn)), label));
      }
    }
    return byTurn.values().stream().flatMap(List::stream).limit(limit).toList();
  }

  private ImagePreparation preparation(Sample first) throws IOException {
    DecodedImage image = decoded(first.file());
    boolean sized = wanted.width() > 0;
    int width = sized ? wanted.width() : image.width();
    int channels = wanted.channels() == 1 ? 1 : COLOURS;
    return new ImagePreparation(
        new Preprocessing.Image(
            "image",
            Architecture.INPUT,
            channels,
            "RGB",
            sized ? wanted.height() : image.height(),
            width,
            width,
            Preprocessing.Image.Fit.STRETCH,
            Collections.nCopies(channels, 0f),
            Collections.nCopies(channels, 1f)));
  }

  private List<byte[]> pixels(List<Sample> samples, ImagePreparation preparation)
      throws IOException {
    List<byte[]> pixels = new ArrayList<>();
    Preprocessing.Image size = preparation.image();
    for (Sample sample : samples) {
      DecodedImage image = decoded(sample.file());
      boolean asItIs = image.width() == size.width() && image.height() == size.height();
      if (!asItIs && wanted.width() == 0) {
        throw new InvalidRunException(
            "data.image: is missing, and '%s' has %d x %d pixels where the first file has %d x %d"
                .formatted(
                    sample.file(), image.width(), image.height(), size.width(), size.height()));
      }
      float[] planes = preparation.planes(image);
      byte[] bytes = new byte[planes.length];
      for (int i = 0; i < planes.length; i++) {
        bytes[i] = (byte) Math.round(planes[i] * 255);
      }
      pixels.add(bytes);
    }
    return pixels;
  }

  /// The runtime takes PNG and JPEG; a bitmap becomes a PNG of the same pixels.
  private DecodedImage decoded(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    String name = root.relativize(file).toString().replace('\\', '/');
    checksums.put(name, Checksum.of(content));
    try {
      boolean bitmap = name.toLowerCase(Locale.ROOT).endsWith(".bmp");
      return DecodedImage.decode(bitmap ? png(content) : content);
    } catch (UnusableImageException unusable) {
      throw new InvalidRunException("data.path: '%s': %s".formatted(file, unusable.getMessage()));
    }
  }

  private static byte[] png(byte[] bitmap) throws IOException {
    BufferedImage image;
    try {
      image = ImageIO.read(new ByteArrayInputStream(bitmap));
    } catch (IOException | RuntimeException damaged) {
      // The JDK's readers answer damaged files with many kinds of runtime exceptions.
      image = null;
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    if (image == null || !ImageIO.write(image, "png", png)) {
      return bitmap;
    }
    return png.toByteArray();
  }

  private static boolean isGrey(List<byte[]> pixels) {
    for (byte[] image : pixels) {
      int plane = image.length / COLOURS;
      for (int i = 0; i < plane; i++) {
        if (image[i] != image[plane + i] || image[i] != image[2 * plane + i]) {
          return false;
        }
      }
    }
    return true;
  }

  private static byte[] firstPlane(byte[] image) {
    return Arrays.copyOf(image, image.length / COLOURS);
  }

  private static Images images(
      String part, List<Sample> samples, List<byte[]> pixels, Preprocessing.Image size) {
    int length = pixels.getFirst().length;
    byte[] joined = new byte[Math.multiplyExact(pixels.size(), length)];
    for (int i = 0; i < pixels.size(); i++) {
      System.arraycopy(pixels.get(i), 0, joined, i * length, length);
    }
    int[] labels = samples.stream().mapToInt(Sample::label).toArray();
    int channels = length / (size.height() * size.width());
    return Images.of(
        part, channels, size.height(), size.width(), joined, labels, Integer.MAX_VALUE);
  }

  /// Over the names and contents of the files that were read, sorted by name.
  private String sha256() {
    StringBuilder lines = new StringBuilder();
    checksums.forEach(
        (name, checksum) -> lines.append(checksum).append("  ").append(name).append('\n'));
    return Checksum.of(lines.toString());
  }
}
