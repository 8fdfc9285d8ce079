package dev.strata.trainer.quantize;

import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.precision.PrecisionProfile;
import java.lang.foreign.Arena;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Runs a network over calibration data and gathers what each layer's input looks like. Layers
/// that read the same value the same way share their statistics.
final class Calibrator {
  private final CalibrationData data;
  private final QuantizationSettings.Tuning tuning;
  private final QuantizationProgress progress;

  Calibrator(
      CalibrationData data, QuantizationSettings.Tuning tuning, QuantizationProgress progress) {
    this.data = data;
    this.tuning = tuning;
    this.progress = progress;
  }

  /// Means, ranges and covariances in the float network, for each layer but embeddings.
  Map<String, InputStatistics> observe(ModelGraph graph, TensorSource tensors) {
    int rowsPerBatch = Math.max(1, tuning.rows() / data.batches().size());
    Map<String, InputCollector> collectors = new LinkedHashMap<>();
    Map<Object, InputCollector> shared = new HashMap<>();
    Map<String, InputCollector> firstReaders = new HashMap<>();
    LayerRoles.of(graph)
        .nodes()
        .forEach(
            (name, node) -> {
              Layer layer = graph.layer(name);
              if (layer.kind() != Layer.Kind.EMBEDDING) {
                InputRows rows = InputRows.of(layer, node.op());
                Object input = List.of(node.inputs().getFirst(), rows);
                if (!shared.containsKey(input)) {
                  shared.put(input, collector(layer, rows, rowsPerBatch));
                  firstReaders.put(name, shared.get(input));
                }
                collectors.put(name, shared.get(input));
              }
            });
    run(graph, Optional.empty(), tensors, data.batches(), firstReaders);
    Map<InputCollector, InputStatistics> finished = new HashMap<>();
    Map<String, InputStatistics> statistics = new LinkedHashMap<>();
    collectors.forEach(
        (name, collector) ->
            statistics.put(name, finished.computeIfAbsent(collector, InputCollector::finish)));
    return statistics;
  }

  private InputCollector collector(Layer layer, InputRows rows, int rowsPerBatch) {
    boolean narrow = rows.columns() <= tuning.covarianceColumns();
    InputCollector.Ranges ranges =
        switch (layer.kind()) {
          case CONV -> InputCollector.Ranges.ALL;
          case DEPTHWISE -> InputCollector.Ranges.CHANNELS;
          case LINEAR, EMBEDDING -> InputCollector.Ranges.NONE;
        };
    return new InputCollector(rows, rowsPerBatch, narrow, ranges);
  }

  /// Means of some layers' inputs over a part of the data, always the same rows of it.
  ///
  /// @param profile the precision of a layered network; absent for a float network
  Map<String, InputStatistics> observeMeans(
      ModelGraph graph,
      Optional<PrecisionProfile> profile,
      TensorSource tensors,
      Collection<String> layers) {
    List<Map<String, Tensor>> part = part();
    int rowsPerBatch = Math.max(1, tuning.rows() / part.size());
    Map<String, Node> nodes = LayerRoles.of(graph).nodes();
    Map<String, InputCollector> collectors = new LinkedHashMap<>();
    for (String name : layers) {
      InputRows rows = InputRows.of(graph.layer(name), nodes.get(name).op());
      collectors.put(
          name, new InputCollector(rows, rowsPerBatch, false, InputCollector.Ranges.NONE));
    }
    run(graph, profile, tensors, part, collectors);
    Map<String, InputStatistics> means = new LinkedHashMap<>();
    collectors.forEach((name, collector) -> means.put(name, collector.finish()));
    return means;
  }

  /// Batches spread over the data with about as many samples as matching may run.
  private List<Map<String, Tensor>> part() {
    long samples =
        data.batches().stream()
            .mapToLong(batch -> batch.values().iterator().next().shape().dim(0))
            .sum();
    int step = Math.toIntExact(Math.max(1, samples / tuning.matchedSamples()));
    return IntStream.iterate(0, i -> i < data.batches().size(), i -> i + step)
        .mapToObj(data.batches()::get)
        .toList();
  }

  private void run(
      ModelGraph graph,
      Optional<PrecisionProfile> profile,
      TensorSource tensors,
      List<Map<String, Tensor>> batches,
      Map<String, InputCollector> collectors) {
    try (Arena arena = Arena.ofShared();
        ExecutionContext context = Planner.plan(graph, profile, tensors, arena).newContext()) {
      context.observe(
          (layer, floats, shape) -> {
            InputCollector collector = collectors.get(layer);
            if (collector != null) {
              collector.observe(floats, shape);
            }
          });
      for (int done = 0; done < batches.size(); done++) {
        if (batches == data.batches()) {
          progress.advanced("calibrating", done, batches.size());
        }
        context.run(batches.get(done));
      }
    }
  }
}
