package dev.strata.trainer.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The images of a run and what their classes are called.
///
/// @param labels empty where the data have none
/// @param sha256 of all that the images were made of
record TrainingData(Images train, Images test, List<String> labels, String sha256) {

  TrainingData(Images train, Images test, List<String> labels) {
    this(train, test, labels, Checksum.of(train.sha256() + test.sha256()));
  }

  /// SHA-256 of the files of Fashion-MNIST.
  private static final Map<String, String> FASHION_FILES =
      Map.of(
          "train-images-idx3-ubyte.gz",
          "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
          "train-labels-idx1-ubyte.gz",
          "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
          "t10k-images-idx3-ubyte.gz",
          "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
          "t10k-labels-idx1-ubyte.gz",
          "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05");

  private static final List<String> FASHION_LABELS =
      List.of(
          "t-shirt",
          "trouser",
          "pullover",
          "dress",
          "coat",
          "sandal",
          "shirt",
          "sneaker",
          "bag",
          "ankle boot");

  /// @param datasets where packaged data sets lie, a folder for each
  static TrainingData read(RunFile.Data wanted, Path datasets) throws IOException {
    return switch (wanted.source()) {
      case "fashion-mnist" -> {
        Path folder = datasets.resolve("fashion-mnist");
        for (Map.Entry<String, String> file : FASHION_FILES.entrySet()) {
          Images.requireFile("data.source", folder.resolve(file.getKey()));
          Checksum.require(folder.resolve(file.getKey()), file.getValue());
        }
        yield idx(wanted, folder, FASHION_LABELS);
      }
      case "idx" -> idx(wanted, path(wanted), List.of());
      case "npz" -> {
        Path train = path(wanted).resolve("train.npz");
        Path test = path(wanted).resolve("test.npz");
        Images.requireFile("data.path", train);
        Images.requireFile("data.path", test);
        yield checked(
            Images.readNpz(train, wanted.trainSamples()),
            Images.readNpz(test, wanted.testSamples()),
            List.of());
      }
      case "folder" -> ImageFolder.read(path(wanted), wanted);
      default ->
          throw new InvalidRunException(
              "data.source: got '%s', expected fashion-mnist, idx, npz or folder"
                  .formatted(wanted.source()));
    };
  }

  int classes() {
    return Math.max(train.classes(), test.classes());
  }

  private static Path path(RunFile.Data wanted) {
    if (wanted.path().isEmpty()) {
      throw new InvalidRunException(
          "data.path: is missing, expected the folder of the %s files".formatted(wanted.source()));
    }
    return Path.of(wanted.path());
  }

  private static TrainingData idx(RunFile.Data wanted, Path folder, List<String> labels)
      throws IOException {
    return checked(
        idx(folder, "train", wanted.trainSamples()),
        idx(folder, "t10k", wanted.testSamples()),
        labels);
  }

  private static Images idx(Path folder, String part, int limit) throws IOException {
    Path images = folder.resolve(part + "-images-idx3-ubyte.gz");
    Path labels = folder.resolve(part + "-labels-idx1-ubyte.gz");
    Images.requireFile("data.path", images);
    Images.requireFile("data.path", labels);
    return Images.readIdx(images, labels, limit);
  }

  private static TrainingData checked(Images train, Images test, List<String> labels) {
    if (train.size() != test.size() || train.channels() != test.channels()) {
      throw new InvalidRunException(
          "data: got images of %d values to train and %d to test, expected the same"
              .formatted(train.size(), test.size()));
    }
    return new TrainingData(train, test, labels);
  }
}
