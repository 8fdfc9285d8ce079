package dev.strata.bench;

import ai.onnxruntime.OrtException;
import dev.strata.trainer.cli.CommandFailure;
import dev.strata.trainer.cli.ExitCode;
import dev.strata.trainer.cli.Json;
import dev.strata.trainer.cli.Progress;
import dev.strata.trainer.cli.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Kernels against peers.
@Command(
    name = "kernels",
    description = {
      "Measure every kernel path on many shapes against ONNX Runtime and OpenBLAS.",
      "",
      "Products go from floats to floats: quantizing the activations, scales, bias and ReLU are"
          + " inside, for ONNX Runtime too; OpenBLAS makes the bare product. Convolutions go from"
          + " codes to codes (packing to bit-planes, bias, ReLU, quantizing), ONNX Runtime's int8"
          + " from codes to codes with channels last, its fp32 from floats to floats. Times are"
          + " medians of processor time of one thread, all taking turns. Cold: copies of the"
          + " weights are used in turn, with more than twice the last level of cache in between."
    })
final class KernelsCommand implements Callable<Integer> {

  @Option(
      names = "--only",
      paramLabel = "PATTERN",
      description = "Only groups whose name has this regular expression, such as '1 x 4096'.")
  private Optional<String> only = Optional.empty();

  @Option(names = "--quick", description = "Few rounds; for a look.")
  private boolean quick;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the rows as JSON.")
  private Optional<Path> json = Optional.empty();

  @Option(names = "--svg", paramLabel = "FILE", description = "Draw the roofline.")
  private Optional<Path> svg = Optional.empty();

  @Option(
      names = "--into",
      paramLabel = "FILE",
      description = "Put the table into a document, between <!-- kernels --> and its end.")
  private Optional<Path> into = Optional.empty();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, OrtException {
    Pattern pattern = pattern();
    PrintWriter out = spec.commandLine().getOut();
    Machine machine = Machine.measure();
    out.println(machine.describe());
    Map<String, KernelGroups.Maker> groups = KernelGroups.all(machine.cache());
    groups.keySet().removeIf(name -> !pattern.matcher(name).find());
    if (groups.isEmpty()) {
      throw CommandFailure.usage("--only: got '%s', which no group has".formatted(only.orElse("")));
    }
    KernelRun run = new KernelRun(machine, quick ? 3 : 21);
    List<KernelRow> rows = new ArrayList<>();
    try (Progress progress = Progress.on("kernels")) {
      int done = 0;
      for (Map.Entry<String, KernelGroups.Maker> one : groups.entrySet()) {
        progress.advanced(one.getKey(), done++, groups.size());
        try (Arena arena = Arena.ofConfined();
            KernelCase.Group group = one.getValue().make(arena)) {
          rows.addAll(run.measure(group));
        }
      }
    }
    Table table = new Table(HEAD);
    rows.forEach(row -> table.row(cells(row)));
    out.print(table);
    out.flush();
    if (json.isPresent()) {
      Files.writeString(json.get(), Json.pretty(Map.of("machine", machine, "rows", rows)) + "\n");
    }
    if (svg.isPresent()) {
      Charts.kernels(svg.get(), machine, rows);
    }
    if (into.isPresent()) {
      Report.write(
          into.get(),
          "kernels",
          machine.describe()
              + ".\n\n"
              + Report.table(HEAD, rows.stream().map(KernelsCommand::cells).toList()));
    }
    return ExitCode.OK;
  }

  private Pattern pattern() {
    try {
      return Pattern.compile(only.orElse(""));
    } catch (PatternSyntaxException wrong) {
      throw CommandFailure.usage(
          "--only: got '%s', expected a regular expression".formatted(only.orElse("")));
    }
  }

  private static final List<String> HEAD =
      Stream.of(
              List.of("shape", "path", "weights", "us", "GMAC/s", "GB/s", "roofline"),
              KernelGroups.PEERS,
              List.of("floors"))
          .flatMap(List::stream)
          .toList();

  private static List<String> cells(KernelRow row) {
    List<String> cells =
        new ArrayList<>(
            List.of(
                row.shape(),
                row.path(),
                row.weights(),
                "%.1f".formatted(row.micros()),
                "%.0f".formatted(row.gigaMultiplyAdds()),
                "%.1f".formatted(row.gigabytes()),
                "%.2f".formatted(row.roofline())));
    for (String peer : KernelGroups.PEERS) {
      Double micros = row.peerMicros().get(peer);
      cells.add(micros == null ? "-" : "%.1f (%.2fx)".formatted(micros, micros / row.micros()));
    }
    cells.add(String.join("; ", row.floors().stream().map(Object::toString).toList()));
    return cells;
  }
}
