package dev.strata.trainer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelDescription;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.training.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Shows what an artifact holds.
@Command(
    name = "inspect",
    description = "Show an artifact's layers, planes, bytes and quality per precision.")
final class InspectCommand implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(names = "--json", description = "Print JSON for machines.")
  private boolean json;

  @Spec private CommandSpec spec;

  /// @param planes for each width 1..8 how many planes the layer reads there
  private record LayerRow(
      String name,
      String kind,
      String storage,
      int rows,
      int columns,
      int groupSize,
      long planeBytes,
      Map<Integer, Integer> planes) {}

  /// @param untrained whether the model was trained, but not at this width
  private record PrecisionRow(
      int bits,
      boolean untrained,
      long prefixBytes,
      double averagePlanes,
      Map<String, Double> quality) {}

  private record Inspection(
      String name,
      long fileBytes,
      List<?> inputs,
      List<?> outputs,
      int defaultBits,
      int labels,
      List<LayerRow> layers,
      List<PrecisionRow> precisions,
      Map<String, String> provenance) {}

  @Override
  public Integer call() throws IOException {
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      Inspection inspection = inspect(artifact);
      PrintWriter out = spec.commandLine().getOut();
      out.print(json ? toJson(inspection) : toText(inspection, artifact.description()));
      out.flush();
    }
    return ExitCode.OK;
  }

  private Inspection inspect(ModelArtifact artifact) throws IOException {
    ModelDescription description = artifact.description();
    return new Inspection(
        description.name(),
        Files.size(file),
        description.inputs(),
        description.outputs(),
        description.defaultBits().count(),
        description.labels().size(),
        description.graph().layers().stream().map(layer -> row(layer, description)).toList(),
        artifact.precisions().stream().map(bits -> row(bits, artifact)).toList(),
        description.provenance());
  }

  private static LayerRow row(Layer layer, ModelDescription description) {
    PlaneLayout layout = layer.layout();
    boolean inPlanes = layer.storage() == Layer.Storage.PLANES;
    Map<Integer, Integer> planes = new LinkedHashMap<>();
    if (inPlanes) {
      for (PrecisionProfile profile : description.profiles()) {
        planes.put(profile.bits().count(), profile.layer(layer.name()).planes().count());
      }
    }
    return new LayerRow(
        layer.name(),
        layer.kind().name(),
        layer.storage().name(),
        layout.rows(),
        layout.columns(),
        layout.groupSize(),
        inPlanes ? layout.planeBytes() : (long) layout.rows() * layout.columns() * Float.BYTES,
        planes);
  }

  /// The average is over weights: what a request of this width reads for each of them.
  private static PrecisionRow row(Bits bits, ModelArtifact artifact) {
    PrecisionProfile profile = artifact.description().profile(bits);
    double read = 0;
    double weights = 0;
    for (Layer layer : artifact.description().graph().layers()) {
      if (layer.storage() == Layer.Storage.PLANES) {
        double count = (double) layer.layout().rows() * layer.layout().columns();
        read += count * profile.layer(layer.name()).planes().count();
        weights += count;
      }
    }
    double average = weights == 0 ? 0 : read / weights;
    return new PrecisionRow(
        bits.count(),
        TrainingRun.untrained(artifact.description().provenance()).contains(bits),
        artifact.prefixBytes(bits),
        average,
        profile.quality());
  }

  private static String toJson(Inspection inspection) throws JsonProcessingException {
    return Json.pretty(inspection) + "\n";
  }

  private static String toText(Inspection inspection, ModelDescription description) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: %d layers, %,d bytes, default %d bits%n"
            .formatted(
                inspection.name(),
                inspection.layers().size(),
                inspection.fileBytes(),
                inspection.defaultBits()));
    description
        .inputs()
        .forEach(
            spec ->
                text.append("  in   %s %s %s%n".formatted(spec.name(), spec.type(), spec.shape())));
    description
        .outputs()
        .forEach(
            spec ->
                text.append("  out  %s %s %s%n".formatted(spec.name(), spec.type(), spec.shape())));
    inspection
        .provenance()
        .forEach((key, value) -> text.append("  %s: %s%n".formatted(key, value)));
    text.append("\nLayers\n").append(layerTable(inspection));
    text.append("\nPrecisions\n").append(precisionTable(inspection));
    return text.toString();
  }

  private static Table layerTable(Inspection inspection) {
    List<Integer> widths = inspection.precisions().stream().map(PrecisionRow::bits).toList();
    String planesHead =
        "planes at " + widths.stream().map(String::valueOf).collect(Collectors.joining(" "));
    Table table = new Table("layer", "kind", "shape", "group", "bytes/plane", planesHead);
    for (LayerRow layer : inspection.layers()) {
      String planes =
          layer.storage().equals("FLOAT")
              ? "float"
              : layer.planes().values().stream()
                  .map(String::valueOf)
                  .collect(Collectors.joining(" ", " ".repeat("planes at ".length()), ""));
      table.row(
          layer.name(),
          layer.kind().toLowerCase(java.util.Locale.ROOT),
          layer.rows() + " x " + layer.columns(),
          layer.groupSize(),
          "%,d".formatted(layer.planeBytes()),
          planes);
    }
    return table;
  }

  private static Table precisionTable(Inspection inspection) {
    Set<String> metrics = new TreeSet<>();
    inspection.precisions().forEach(row -> metrics.addAll(row.quality().keySet()));
    List<String> head = new ArrayList<>(List.of("bits", "planes/weight", "prefix bytes"));
    head.addAll(metrics);
    Table table = new Table(head);
    for (PrecisionRow row : inspection.precisions()) {
      List<String> cells =
          new ArrayList<>(
              List.of(
                  row.bits() + (row.untrained() ? " untrained" : ""),
                  "%.2f".formatted(row.averagePlanes()),
                  "%,d".formatted(row.prefixBytes())));
      for (String metric : metrics) {
        Double value = row.quality().get(metric);
        cells.add(value == null ? "-" : "%.5f".formatted(value));
      }
      table.row(cells);
    }
    return table;
  }
}
