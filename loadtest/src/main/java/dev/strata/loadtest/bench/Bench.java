package dev.strata.loadtest.bench;

import dev.strata.loadtest.bench.GatewayProcess.Setup;
import dev.strata.loadtest.drive.LoadDriver;
import dev.strata.loadtest.report.AnswerCheck;
import dev.strata.loadtest.report.RunSummary;
import dev.strata.loadtest.report.Summary;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Phase;
import dev.strata.loadtest.scenario.Scenario;
import dev.strata.loadtest.scenario.ScenarioFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// What every benchmark of the gateway needs.
///
/// @param root the project's folder, with the gateway built
/// @param models a repository that holds `minilm`
/// @param work an empty folder
/// @param cpu the processor of the gateways; the client should have another
/// @param out for tables in Markdown
record Bench(Path root, Path models, Path work, OptionalInt cpu, PrintWriter out) {

  GatewayProcess start(Path repository, Map<String, String> settings)
      throws IOException, InterruptedException {
    return GatewayProcess.start(new Setup(root, List.of(repository), settings, cpu));
  }

  /// A repository of one of the models at hand.
  Path repository(String name) throws IOException {
    Path source = Files.isDirectory(models.resolve(name)) ? models : embedded();
    if (!Files.isDirectory(source.resolve(name))) {
      throw new IOException(
          "%s: there is no model '%s'; ./strata serve makes it".formatted(models, name));
    }
    Path repository = Files.createTempDirectory(work, "repository");
    Files.createSymbolicLink(repository.resolve(name), source.resolve(name));
    return repository;
  }

  /// The repository that comes with the project.
  Path embedded() {
    return root.resolve("gateway/src/main/repository");
  }

  /// One of the scenarios that come with the project, with phases of the benchmark's choice.
  Scenario scenario(String name, GatewayProcess gateway) throws IOException {
    return ScenarioFile.read(root.resolve("loadtest/scenarios/%s.yaml".formatted(name)))
        .at(gateway.target());
  }

  static RunSummary drive(Scenario scenario, Call call, Phase... phases)
      throws InterruptedException {
    Scenario alone = scenario.withCalls(List.of(call)).withPhases(List.of(phases));
    return Summary.of(LoadDriver.run(alone, _ -> {}), AnswerCheck.fresh());
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  void line(String format, Object... values) {
    out.printf(format + "%n", values);
    out.flush();
  }
}
