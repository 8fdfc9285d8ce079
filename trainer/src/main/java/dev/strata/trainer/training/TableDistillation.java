package dev.strata.trainer.training;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Tensor;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import dev.strata.trainer.onnx.FloatModel;
import dev.strata.trainer.quantize.CalibrationData;
import dev.strata.trainer.quantize.LayeredNetwork;
import dev.strata.trainer.quantize.QuantizationProgress;
import dev.strata.trainer.quantize.QuantizationSettings.Distillation;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// Tunes what a width has to itself, the scales, offsets and biases of its tables, until the
/// network at that width answers more like the float network. The codes stay, so all widths still
/// share them, and no labels are needed.
///
/// Each row of a layer has three numbers: factors of its scale and offset, and what is added to
/// its bias. They follow Adam (Kingma and Ba, arXiv 1412.6980) down the relative squared error of
/// the outputs and of the layers' inputs. Every eighth batch is held out; what is kept is the epoch
/// that was best on those, or the tables as they were.
public final class TableDistillation {
  private static final int HELD_OUT = 8;
  private static final int BATCHES_PER_STEP = 4;

  /// Of the first step at one bit; each further bit halves it, as it does the weights' error.
  private static final double RATE = 0.012;

  private final FloatModel model;
  private final LayeredNetwork network;
  private final CalibrationData data;
  private final int epochs;
  private final QuantizationProgress progress;

  private TableDistillation(
      FloatModel model,
      LayeredNetwork network,
      CalibrationData data,
      int epochs,
      QuantizationProgress progress) {
    this.model = model;
    this.network = network;
    this.data = data;
    this.epochs = epochs;
    this.progress = progress;
  }

  /// Replaces tables of the network.
  ///
  /// @param model the float network that the layered one was made of
  /// @param data at least 8 batches, if widths are to be tuned
  /// @throws IllegalArgumentException if there are fewer
  public static void tune(
      FloatModel model,
      LayeredNetwork network,
      CalibrationData data,
      Distillation wanted,
      QuantizationProgress progress) {
    if (wanted.widths().isEmpty()) {
      return;
    }
    if (data.batches().size() < HELD_OUT) {
      throw new IllegalArgumentException(
          "distillation: got %d batches of calibration data, expected %d or more"
              .formatted(data.batches().size(), HELD_OUT));
    }
    TableDistillation distillation =
        new TableDistillation(model, network, data, wanted.epochs(), progress);
    network.profiles().stream()
        .filter(profile -> wanted.widths().contains(profile.bits()))
        .forEach(distillation::tune);
  }

  private void tune(PrecisionProfile profile) {
    try (NDManager memory = TorchEngine.start(Runtime.getRuntime().availableProcessors());
        Arena arena = Arena.ofShared()) {
      MemoryTensors tensors = network.tensors();
      DifferentiableGraph graph =
          new DifferentiableGraph(network.graph(), profile, tensors, memory);
      List<String> watched = List.copyOf(graph.watched());
      try (ExecutionContext entries =
              Planner.plan(
                      making(network.graph(), graph.entries()),
                      Optional.of(profile),
                      tensors,
                      arena)
                  .newContext();
          ExecutionContext floats =
              Planner.plan(
                      making(model.graph(), known(watched)),
                      Optional.empty(),
                      model.tensors(),
                      arena)
                  .newContext()) {
        new Width(profile.bits(), graph, entries, floats, memory).tune();
      }
    }
  }

  /// Values that the float network has too.
  private List<String> known(List<String> watched) {
    List<String> made =
        model.graph().nodes().stream().flatMap(node -> node.outputs().stream()).toList();
    return watched.stream().filter(made::contains).toList();
  }

  /// As much of a graph as makes some values.
  private static ModelGraph making(ModelGraph graph, Collection<String> values) {
    Set<String> needed = new HashSet<>(values);
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes().reversed()) {
      if (node.outputs().stream().anyMatch(needed::contains)) {
        nodes.addFirst(node);
        needed.addAll(node.inputs());
      }
    }
    return new ModelGraph(
        graph.inputs(), List.copyOf(values), nodes, graph.constants(), graph.layers());
  }

  /// One width's tables on their way.
  private final class Width {
    private final Bits bits;
    private final DifferentiableGraph graph;
    private final ExecutionContext entries;
    private final ExecutionContext floats;
    private final NDManager memory;
    private final Map<String, Factors> factors = new LinkedHashMap<>();
    private int steps;

    Width(
        Bits bits,
        DifferentiableGraph graph,
        ExecutionContext entries,
        ExecutionContext floats,
        NDManager memory) {
      this.bits = bits;
      this.graph = graph;
      this.entries = entries;
      this.floats = floats;
      this.memory = memory;
      graph.tuned().forEach((layer, rows) -> factors.put(layer, new Factors(rows)));
    }

    void tune() {
      if (factors.isEmpty()) {
        return;
      }
      List<Map<String, Tensor>> heldOut = new ArrayList<>();
      List<Map<String, Tensor>> seen = new ArrayList<>();
      for (int i = 0; i < data.batches().size(); i++) {
        (i % HELD_OUT == 0 ? heldOut : seen).add(data.batches().get(i));
      }
      double best = error(heldOut);
      Map<String, Factors> kept = copies();
      Random random = new Random(bits.count());
      int perEpoch = Math.ceilDiv(seen.size(), BATCHES_PER_STEP);
      for (int epoch = 0; epoch < epochs; epoch++) {
        Collections.shuffle(seen, random);
        for (int from = 0; from < seen.size(); from += BATCHES_PER_STEP) {
          progress.advanced("tuning %s bits".formatted(bits), steps, epochs * perEpoch);
          int to = Math.min(seen.size(), from + BATCHES_PER_STEP);
          step(seen.subList(from, to), rate((double) steps / (epochs * perEpoch)));
        }
        double now = error(heldOut);
        if (now < best) {
          best = now;
          kept = copies();
        }
      }
      kept.forEach(this::store);
    }

    private double rate(double part) {
      return RATE / (1 << (bits.count() - 1)) * 0.5 * (1 + Math.cos(Math.PI * part));
    }

    private Map<String, Factors> copies() {
      Map<String, Factors> copies = new LinkedHashMap<>();
      factors.forEach((name, one) -> copies.put(name, one.copy()));
      return copies;
    }

    private void step(List<Map<String, Tensor>> batches, double rate) {
      Map<String, float[]> sums = new HashMap<>();
      for (Map<String, Tensor> batch : batches) {
        try (NDManager ofRun = memory.newSubManager()) {
          Map<String, NDArray> leaves = leaves(ofRun, true);
          try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray error = error(ofRun, batch, leaves);
            for (NDArray leaf : leaves.values()) {
              // A way to every leaf, also to those whose every other way no gradient passes.
              error = error.add(leaf.sum().mul(TorchEngine.number(ofRun, 0)));
            }
            collector.backward(error);
          }
          leaves.forEach(
              (name, leaf) ->
                  sums.merge(name, leaf.getGradient().toFloatArray(), TableDistillation::add));
        }
      }
      steps++;
      sums.forEach((name, gradient) -> factors.get(name).follow(gradient, rate, steps));
    }

    private double error(List<Map<String, Tensor>> batches) {
      double sum = 0;
      for (Map<String, Tensor> batch : batches) {
        try (NDManager ofRun = memory.newSubManager()) {
          sum += error(ofRun, batch, leaves(ofRun, false)).getFloat();
        }
      }
      return sum / batches.size();
    }

    private Map<String, NDArray> leaves(NDManager ofRun, boolean learning) {
      Map<String, NDArray> leaves = new HashMap<>();
      factors.forEach(
          (name, one) -> {
            NDArray leaf = TorchEngine.array(ofRun, one.values, new Shape(3, one.rows()));
            leaf.setRequiresGradient(learning);
            leaves.put(name, leaf);
          });
      return leaves;
    }

    /// The mean relative squared error of the watched values; outputs count as much as all inputs
    /// of layers.
    private NDArray error(NDManager ofRun, Map<String, Tensor> batch, Map<String, NDArray> leaves) {
      Map<String, NDArray> values = graph.run(ofRun, entries.run(batch), leaves);
      Map<String, Tensor> wanted = floats.run(batch);
      List<String> outputs = model.graph().outputs();
      long inputs = wanted.keySet().stream().filter(name -> !outputs.contains(name)).count();
      NDArray sum = TorchEngine.number(ofRun, 0);
      for (Map.Entry<String, Tensor> one : wanted.entrySet()) {
        float[] target = one.getValue().toFloats();
        double square = 1e-20;
        for (float value : target) {
          square += (double) value * value;
        }
        boolean output = outputs.contains(one.getKey());
        double share = 1.0 / (output ? outputs.size() : inputs);
        NDArray value = values.get(one.getKey());
        NDArray miss = value.sub(TorchEngine.array(ofRun, target, value.getShape()));
        sum =
            sum.add(miss.mul(miss).sum().mul(TorchEngine.number(ofRun, (float) (share / square))));
      }
      return sum;
    }

    private void store(String layer, Factors by) {
      PlaneLayout layout = network.graph().layer(layer).layout();
      String name = PlaneNames.table(layer, bits);
      float[] table = network.tensors().get(name).toArray(ValueLayout.JAVA_FLOAT);
      int padded = layout.paddedRows();
      for (int row = 0; row < layout.rows(); row++) {
        int at = layout.paddedRow(row);
        table[at] *= by.values[row];
        table[padded + at] *= by.values[layout.rows() + row];
        table[2 * padded + at] += by.values[2 * layout.rows() + row];
      }
      network.tensors().put(name, table);
    }
  }

  /// The numbers of one layer, `[3][rows]`, and their moments.
  private static final class Factors {
    private static final double FIRST = 0.9;
    private static final double SECOND = 0.99;

    private final float[] values;
    private final float[] mean;
    private final float[] square;

    Factors(int rows) {
      values = new float[3 * rows];
      mean = new float[3 * rows];
      square = new float[3 * rows];
      Arrays.fill(values, 0, 2 * rows, 1);
    }

    private Factors(Factors of) {
      values = of.values.clone();
      mean = of.mean.clone();
      square = of.square.clone();
    }

    Factors copy() {
      return new Factors(this);
    }

    int rows() {
      return values.length / 3;
    }

    void follow(float[] gradient, double rate, int step) {
      double meanPart = 1 - Math.pow(FIRST, step);
      double squarePart = 1 - Math.pow(SECOND, step);
      for (int i = 0; i < values.length; i++) {
        mean[i] = (float) (FIRST * mean[i] + (1 - FIRST) * gradient[i]);
        square[i] = (float) (SECOND * square[i] + (1 - SECOND) * gradient[i] * gradient[i]);
        values[i] -=
            (float) (rate * (mean[i] / meanPart) / (Math.sqrt(square[i] / squarePart) + 1e-12));
      }
    }
  }

  private static float[] add(float[] sum, float[] more) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += more[i];
    }
    return sum;
  }
}
