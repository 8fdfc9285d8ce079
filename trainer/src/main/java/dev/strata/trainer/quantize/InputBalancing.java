package dev.strata.trainer.quantize;

import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.trainer.onnx.FloatModel;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Evens out the columns of linear layers' inputs.
///
/// Each row of an input shares one 8-bit scale, so a few large columns cost all others their
/// precision. Dividing column j by `peak_j ^ alpha` and multiplying the weights' column by the
/// same helps the input and harms the weights, whose groups get a wider range; alpha is the one
/// with the least predicted output error over widths 4 to 8.
final class InputBalancing {
  private static final int STRENGTHS = 10;
  private static final int NARROWEST = 4;

  /// A balance costs one more operator; it must take off at least this part of the 8-bit error.
  private static final double WORTHWHILE = 0.15;

  private final FloatModel model;
  private final Map<String, InputStatistics> inputs;
  private final int group;
  private final List<InputBalance> balances;

  private InputBalancing(FloatModel model, Map<String, InputStatistics> inputs, int group) {
    this.model = model;
    this.inputs = inputs;
    this.group = group;
    balances = choose();
  }

  /// Chooses the balances that pay.
  ///
  /// @param group columns that share a weight range
  static InputBalancing of(FloatModel model, Map<String, InputStatistics> inputs, int group) {
    return new InputBalancing(model, inputs, group);
  }

  /// The same function, balanced.
  ///
  /// @return a model of its own, which the caller closes
  FloatModel apply() {
    MemoryTensors tensors = new MemoryTensors();
    try {
      for (String name : model.tensors().names()) {
        tensors.put(name, model.tensors().get(name));
      }
      for (InputBalance balance : balances) {
        tensors.put(balance.constant(), balance.reciprocals());
        for (String layer : balance.layers()) {
          tensors.put(layer + ".weight", balance.applyTo(weights(layer)));
        }
      }
      return new FloatModel(insert(model.graph(), balances), tensors);
    } catch (Throwable failure) {
      tensors.close();
      throw failure;
    }
  }

  /// Statistics of the balanced inputs.
  Map<String, InputStatistics> statistics() {
    Map<String, InputStatistics> balanced = new LinkedHashMap<>(inputs);
    for (InputBalance balance : balances) {
      InputStatistics shared =
          inputs.get(balance.layers().getFirst()).scaled(balance.reciprocals());
      balance.layers().forEach(layer -> balanced.put(layer, shared));
    }
    return balanced;
  }

  private float[] weights(String layer) {
    return model.tensors().get(layer + ".weight").toArray(ValueLayout.JAVA_FLOAT);
  }

  private List<InputBalance> choose() {
    Map<String, List<String>> readers = new LinkedHashMap<>();
    Set<String> seen = new HashSet<>();
    Set<String> shared = new HashSet<>();
    for (Node node : model.graph().nodes()) {
      if (node.op() instanceof Op.Linear linear) {
        if (!seen.add(linear.layer())) {
          shared.add(linear.layer());
        }
        readers
            .computeIfAbsent(node.inputs().getFirst(), _ -> new ArrayList<>())
            .add(linear.layer());
      }
    }
    List<InputBalance> chosen = new ArrayList<>();
    readers.forEach(
        (value, layers) -> {
          if (layers.stream().noneMatch(shared::contains)
              && layers.stream().allMatch(inputs::containsKey)) {
            strongest(value, layers).ifPresent(chosen::add);
          }
        });
    return chosen;
  }

  private Optional<InputBalance> strongest(String value, List<String> layers) {
    InputStatistics input = inputs.get(layers.getFirst());
    List<float[]> matrices = layers.stream().map(this::weights).toList();
    double[] unbalanced = errors(input, matrices, factors(input, 0));
    double[] best = unbalanced;
    double bestAlpha = 0;
    for (int step = 1; step <= STRENGTHS; step++) {
      double alpha = (double) step / STRENGTHS;
      double[] errors = errors(input, matrices, factors(input, alpha));
      if (logSum(errors) < logSum(best)) {
        best = errors;
        bestAlpha = alpha;
      }
    }
    int widest = best.length - 1;
    return best[widest] > (1 - WORTHWHILE) * unbalanced[widest]
        ? Optional.empty()
        : Optional.of(new InputBalance(value, layers, factors(input, bestAlpha)));
  }

  private static double logSum(double[] errors) {
    double sum = 0;
    for (double error : errors) {
      sum += Math.log(error + Double.MIN_NORMAL);
    }
    return sum;
  }

  /// `peak ^ alpha`, geometric mean 1.
  private static float[] factors(InputStatistics input, double alpha) {
    float[] peaks = input.peaks();
    double floor = 0;
    for (float peak : peaks) {
      floor = Math.max(floor, peak * 1e-3);
    }
    double[] logs = new double[peaks.length];
    double mean = 0;
    for (int column = 0; column < peaks.length; column++) {
      logs[column] = alpha * Math.log(Math.max(peaks[column], floor) + Double.MIN_NORMAL);
      mean += logs[column] / peaks.length;
    }
    float[] factors = new float[peaks.length];
    for (int column = 0; column < peaks.length; column++) {
      factors[column] = (float) Math.exp(logs[column] - mean);
    }
    return factors;
  }

  /// Predicted squared output error with weights of 4 to 8 bits: rounding of inputs plus
  /// rounding of weights, both taken as uniform.
  private double[] errors(InputStatistics input, List<float[]> matrices, float[] factors) {
    double inputError = input.meanSquaredPeak(factors) / (127.0 * 127.0 * 12);
    double[] squares = input.meanSquares();
    double fromInput = 0;
    double fromWeights = 0;
    for (float[] matrix : matrices) {
      for (int row = 0; row < matrix.length; row += factors.length) {
        for (int first = 0; first < factors.length; first += group) {
          int last = Math.min(first + group, factors.length);
          double low = Double.POSITIVE_INFINITY;
          double high = Double.NEGATIVE_INFINITY;
          double power = 0;
          for (int column = first; column < last; column++) {
            double weight = matrix[row + column] * factors[column];
            low = Math.min(low, weight);
            high = Math.max(high, weight);
            power += squares[column] / (factors[column] * factors[column]);
            fromInput += weight * weight * inputError;
          }
          double step = (high - low) / 256;
          fromWeights += step * step / 12 * power;
        }
      }
    }
    double[] errors = new double[9 - NARROWEST];
    for (int bits = NARROWEST; bits <= 8; bits++) {
      errors[bits - NARROWEST] = fromInput + fromWeights * Math.pow(4, 8 - bits);
    }
    return errors;
  }

  /// The graph with one multiplication before the readers of each balanced value.
  private static ModelGraph insert(ModelGraph graph, List<InputBalance> balances) {
    Map<String, InputBalance> byLayer = new LinkedHashMap<>();
    balances.forEach(balance -> balance.layers().forEach(layer -> byLayer.put(layer, balance)));
    List<Node> nodes = new ArrayList<>();
    Set<InputBalance> inserted = new HashSet<>();
    for (Node node : graph.nodes()) {
      InputBalance balance =
          node.op() instanceof Op.Linear linear ? byLayer.get(linear.layer()) : null;
      if (balance == null) {
        nodes.add(node);
        continue;
      }
      if (inserted.add(balance)) {
        nodes.add(
            new Node(
                balance.balancedValue(),
                new Op.Binary(Op.Binary.Function.MUL),
                List.of(balance.value(), balance.constant()),
                List.of(balance.balancedValue())));
      }
      List<String> read = new ArrayList<>(node.inputs());
      read.set(0, balance.balancedValue());
      nodes.add(new Node(node.name(), node.op(), read, node.outputs()));
    }
    List<Constant> constants = new ArrayList<>(graph.constants());
    for (InputBalance balance : balances) {
      int columns = graph.layer(balance.layers().getFirst()).layout().columns();
      constants.add(new Constant(balance.constant(), DataType.FP32, Shape.of(columns)));
    }
    return new ModelGraph(graph.inputs(), graph.outputs(), nodes, constants, graph.layers());
  }
}
