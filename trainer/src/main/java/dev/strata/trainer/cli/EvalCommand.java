package dev.strata.trainer.cli;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.trainer.eval.CascadeMeasurement;
import dev.strata.trainer.eval.FloatReference;
import dev.strata.trainer.eval.QualityMeasurement;
import dev.strata.trainer.eval.RemoteModel;
import dev.strata.trainer.eval.SampleSet;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.onnx.OnnxImporter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Measures the quality of every precision and stores it in the artifact.
@Command(
    name = "eval",
    description = {
      "Measure the quality of every precision and store it in the artifact.",
      "Against the float network: agreement of classes, labels and texts, cosine of vectors, rank"
          + " correlation of pairwise similarities. Against the truth, when it is given: accuracy,"
          + " character error rate."
    })
final class EvalCommand implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--reference",
      paramLabel = "MODEL.onnx",
      description = "The float network it was imported from. A trained model has none.")
  private Optional<Path> reference = Optional.empty();

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DATA",
      description =
          "Client inputs: .npz arrays by input name (with an array 'labels' if known), a .txt of"
              + " one text a line, IDX images, or a folder of PNG and JPEG files.")
  private Path data;

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description = "Right answers: IDX labels, or a .txt of one label or text a line.")
  private Optional<Path> labels;

  @Option(
      names = "--limit",
      defaultValue = "2000",
      paramLabel = "N",
      description = "Use at most this many samples (default ${DEFAULT-VALUE}).")
  private int limit;

  @Option(
      names = "--cascade",
      paramLabel = "BITS",
      split = ",",
      description =
          "Also measure what a classifier gains by answering at a narrow width first and asking a"
              + " wider one where it is not sure: LOW, or LOW,HIGH (default the widest). Requests"
              + " get it by 'precision: cascade'.")
  private List<Bits> cascade = List.of();

  @Option(
      names = "--remote",
      paramLabel = "HOST:PORT",
      description =
          "Ask the model of the artifact's name in a running gateway over gRPC instead of the file;"
              + " nothing is stored.")
  private Optional<String> remote = Optional.empty();

  @Option(names = "--dry-run", description = "Print only; leave the artifact as it is.")
  private boolean dryRun;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (remote.isPresent() && !cascade.isEmpty()) {
      throw CommandFailure.usage("--cascade: got it with --remote, expected one of the two");
    }
    QualityMeasurement measured;
    Optional<CascadeMeasurement> pair = Optional.empty();
    ModelDescription described;
    try (Progress progress = Progress.on(file.getFileName().toString());
        LayeredModel model = LayeredModel.open(file)) {
      SampleSet samples = samples(model);
      if (!cascade.isEmpty()) {
        pair =
            Optional.of(
                CascadeMeasurement.measure(
                    model,
                    cascade.getFirst(),
                    cascade.size() > 1 ? cascade.getLast() : model.precisions().getLast(),
                    samples,
                    (done, total) -> progress.advanced("measuring the cascade", done, total)));
      }
      QualityMeasurement.Listener listener =
          (done, total) -> progress.advanced("measuring quality", done, total);
      measured =
          reference.isPresent()
              ? measureAgainst(reference.get(), model, samples, listener)
              : measure(model, Optional.empty(), samples, listener);
      described = measured.describe(model.description(), data.getFileName().toString());
    }
    if (!dryRun && remote.isEmpty()) {
      ArtifactWriter.describe(file, described, pair.map(CascadeMeasurement::chosen), file);
    }
    print(measured, pair);
    return ExitCode.OK;
  }

  private SampleSet samples(LayeredModel model) throws IOException {
    SampleSet samples = SampleSet.read(data, model.description().preprocessing());
    if (labels.isPresent()) {
      samples = samples.withTruth(SampleSet.readTruth(labels.get()));
    }
    if (reference.isEmpty() && samples.truth().isEmpty()) {
      throw CommandFailure.usage(
          "--reference and --labels: got neither, expected one of the two to compare with");
    }
    return samples.range(0, limit);
  }

  private QualityMeasurement measureAgainst(
      Path onnx, LayeredModel model, SampleSet samples, QualityMeasurement.Listener listener)
      throws IOException {
    try (ModelArtifact assets = ModelArtifact.open(file);
        FloatModel network = OnnxImporter.read(onnx);
        FloatReference floats = new FloatReference(network, model.description(), assets)) {
      return measure(model, Optional.of(floats), samples, listener);
    }
  }

  private QualityMeasurement measure(
      LayeredModel model,
      Optional<FloatReference> floats,
      SampleSet samples,
      QualityMeasurement.Listener listener) {
    if (remote.isEmpty()) {
      return QualityMeasurement.measure(model, floats, samples, listener);
    }
    try (RemoteModel server = new RemoteModel(remote.get(), model.description().name())) {
      return QualityMeasurement.measure(model, server, floats, samples, listener);
    } catch (UncheckedIOException failure) {
      throw CommandFailure.failed("--remote: " + failure.getCause().getMessage());
    }
  }

  private void print(QualityMeasurement measured, Optional<CascadeMeasurement> pair)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Map<String, Map<String, Double>> rows = new LinkedHashMap<>();
    if (!measured.reference().isEmpty()) {
      rows.put("fp32", measured.reference());
    }
    for (Map.Entry<Bits, Map<String, Double>> one : measured.precisions().entrySet()) {
      rows.put(one.getKey().toString(), one.getValue());
    }
    if (json) {
      out.println(
          Json.pretty(pair.isEmpty() ? rows : Map.of("quality", rows, "cascade", pair.get())));
    } else {
      Set<String> metrics = new TreeSet<>();
      rows.values().forEach(quality -> metrics.addAll(quality.keySet()));
      List<String> head = new ArrayList<>(List.of("bits"));
      head.addAll(metrics);
      Table table = new Table(head);
      rows.forEach(
          (bits, quality) -> {
            List<String> cells = new ArrayList<>(List.of(bits));
            metrics.forEach(metric -> cells.add("%.5f".formatted(quality.get(metric))));
            table.row(cells);
          });
      out.print(table);
      pair.ifPresent(measurement -> out.print(cascadeTable(measurement)));
      out.printf(
          "%d samples%s%n",
          measured.samples(), dryRun || remote.isPresent() ? "" : "; stored in " + file);
    }
    out.flush();
  }

  private static String cascadeTable(CascadeMeasurement measured) {
    ConfidenceCascade chosen = measured.chosen();
    Table table = new Table(List.of("margin under", "accuracy", "asked again", "mean cost"));
    for (CascadeMeasurement.Point point : measured.points()) {
      table.row(
          List.of(
              "%.2f%s"
                  .formatted(
                      point.threshold(), point.threshold() == chosen.threshold() ? " *" : ""),
              "%.5f".formatted(point.accuracy()),
              "%.3f".formatted(point.asked()),
              "%.3f".formatted(point.meanCost())));
    }
    return "%nCascade: %s bits, then %s where the margin is under the threshold (* stored); cost 1 is %s bits alone%n%s"
        .formatted(chosen.low(), chosen.high(), chosen.high(), table);
  }
}
