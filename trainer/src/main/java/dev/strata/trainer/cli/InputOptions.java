package dev.strata.trainer.cli;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Tensor;
import dev.strata.trainer.data.Npz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/// One request's input, given on the command line.
public final class InputOptions {

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A text; may be given several times for a batch.")
  private List<String> texts = List.of();

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "A PNG or JPEG file; may be given several times for a batch.")
  private List<Path> images = List.of();

  @Option(names = "--npz", paramLabel = "FILE", description = "Arrays by input name.")
  private Optional<Path> npz = Optional.empty();

  public boolean isEmpty() {
    return texts.isEmpty() && images.isEmpty() && npz.isEmpty();
  }

  /// @throws CommandFailure if the model does not take what was given
  public Map<String, Tensor> read(ModelDescription description) throws IOException {
    if (npz.isPresent()) {
      return Npz.read(npz.get());
    }
    return switch (description.preprocessing()) {
      case Preprocessing.Text text -> {
        require(!texts.isEmpty(), description, "--text");
        yield Map.of(
            text.input(),
            Tensor.ofBytes(
                texts.stream().map(one -> one.getBytes(StandardCharsets.UTF_8)).toList()));
      }
      case Preprocessing.Image image -> {
        require(!images.isEmpty(), description, "--image");
        List<byte[]> files = new ArrayList<>();
        for (Path file : images) {
          files.add(Files.readAllBytes(file));
        }
        yield Map.of(image.input(), Tensor.ofBytes(files));
      }
      case Preprocessing.None none -> {
        require(false, description, "--npz");
        throw new AssertionError();
      }
    };
  }

  private static void require(boolean given, ModelDescription description, String option) {
    if (!given) {
      throw CommandFailure.usage(
          "model '%s' takes %s; see strata inspect".formatted(description.name(), option));
    }
  }
}
