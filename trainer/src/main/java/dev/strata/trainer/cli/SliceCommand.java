package dev.strata.trainer.cli;

import dev.strata.artifact.ArtifactSlicer;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Writes the shorter artifact of a lower precision.
@Command(
    name = "slice",
    description =
        "Write an artifact that holds only the first planes: the same answers at 1 to BITS bits,"
            + " fewer bytes.")
final class SliceCommand implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--bits",
      required = true,
      converter = BitsConverter.class,
      description = "The widest precision to keep, 1 to 8.")
  private Bits bits;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The artifact to write.")
  private Path output;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    try (Progress progress = Progress.on(file.toString())) {
      progress.advanced("slicing", 0, 0);
      ArtifactSlicer.slice(file, bits, output);
    }
    spec.commandLine()
        .getOut()
        .printf(
            "%s: 1 to %s bits, %,d of %,d bytes%n",
            output, bits, Files.size(output), Files.size(file));
    return ExitCode.OK;
  }
}
