package dev.strata.trainer.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The images of a run and what their classes are called.
///
/// @param labels empty where the data have none
/// @param sha256 of all that the images were made of
record TrainingData(Images train, Images test, List<String> labels, String sha256) {

  TrainingData(Images train, Images test, List<String> labels) {
    this(train, test, labels, Checksum.of(train.sha256() + test.sha256()));
  }

  /// @param datasets where packaged data sets lie, a folder for each
  static TrainingData read(RunFile.Data wanted, Path datasets) throws IOException {
    Optional<PackagedSet> packaged = PackagedSet.of(wanted.source());
    if (packaged.isPresent()) {
      return idx(wanted, packaged.get().verified(datasets), packaged.get().labels());
    }
    return switch (wanted.source()) {
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
              "data.source: got '%s', expected fashion-mnist, mnist, idx, npz or folder"
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
    Path images = idxFile(folder, part + "-images-idx3-ubyte");
    Path labels = idxFile(folder, part + "-labels-idx1-ubyte");
    return Images.readIdx(images, labels, limit);
  }

  /// Gzipped, or plain if there is no such file.
  private static Path idxFile(Path folder, String name) {
    Path gzipped = folder.resolve(name + ".gz");
    Path plain = folder.resolve(name);
    Path file = Files.exists(gzipped) || !Files.exists(plain) ? gzipped : plain;
    Images.requireFile("data.path", file);
    return file;
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
