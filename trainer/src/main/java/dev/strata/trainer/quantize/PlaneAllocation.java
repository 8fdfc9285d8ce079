package dev.strata.trainer.quantize;

import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.precision.PrecisionProfile.LayerPrecision;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Gives each layer its own number of planes, so that a nominal width is a budget of bits per
/// weight: layers that the output depends on keep more, others fewer.
///
/// A layer's sensitivity is measured: the error of the network's output, relative to the output
/// with all planes, when that layer alone reads fewer. From all planes down, the plane with the
/// least further error per weight goes first; each profile is where its budget is met. So planes
/// never fall from one profile to the next, as the artifact wants it. Errors of layers are taken
/// to add up.
public final class PlaneAllocation {
  private static final int SAMPLES = 24;

  private final ModelGraph graph;
  private final TensorSource tensors;
  private final List<PrecisionProfile> profiles;
  private final List<Map<String, Tensor>> runs;
  private final List<Layer> layers;

  private PlaneAllocation(
      ModelGraph graph,
      TensorSource tensors,
      List<PrecisionProfile> profiles,
      List<Map<String, Tensor>> runs) {
    this.graph = graph;
    this.tensors = tensors;
    this.profiles = profiles;
    this.runs = runs;
    layers =
        graph.layers().stream()
            .filter(layer -> layer.storage() == Layer.Storage.PLANES)
            .filter(layer -> profiles.getFirst().layer(layer.name()).planes().equals(new Bits(1)))
            .toList();
  }

  /// @param tensors of the network, with the table of every width for each layer that may change
  /// @param profiles 1 to 8 bits, where each layer reads as many planes as the width or, if it is
  ///     protected, all; protected layers stay so and do not count in the budget
  /// @param inputs graph inputs, one run each, of which some are used
  /// @return profiles of the same widths, without quality
  public static List<PrecisionProfile> allocate(
      ModelGraph graph,
      TensorSource tensors,
      List<PrecisionProfile> profiles,
      List<Map<String, Tensor>> inputs,
      QuantizationProgress progress) {
    int step = Math.max(1, inputs.size() / SAMPLES);
    List<Map<String, Tensor>> runs = new ArrayList<>();
    for (int i = 0; i < inputs.size() && runs.size() < SAMPLES; i += step) {
      runs.add(inputs.get(i));
    }
    return new PlaneAllocation(graph, tensors, profiles, runs).allocate(progress);
  }

  private List<PrecisionProfile> allocate(QuantizationProgress progress) {
    double[][] errors = sensitivities(progress);
    int[] planes = new int[layers.size()];
    java.util.Arrays.fill(planes, Bits.MAX);
    List<PrecisionProfile> allocated = new ArrayList<>();
    for (int width = Bits.MAX; width >= 1; width--) {
      while (spent(planes) > width * weights()) {
        int cheapest = cheapest(planes, errors);
        planes[cheapest]--;
      }
      allocated.addFirst(profile(new Bits(width), planes));
    }
    return allocated;
  }

  private double weights() {
    return layers.stream().mapToDouble(PlaneAllocation::weights).sum();
  }

  private static double weights(Layer layer) {
    return (double) layer.layout().rows() * layer.layout().columns();
  }

  private double spent(int[] planes) {
    double spent = 0;
    for (int i = 0; i < planes.length; i++) {
      spent += planes[i] * weights(layers.get(i));
    }
    return spent;
  }

  private int cheapest(int[] planes, double[][] errors) {
    int cheapest = -1;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < planes.length; i++) {
      if (planes[i] == 1) {
        continue;
      }
      double more = errors[i][planes[i] - 1] - errors[i][planes[i]];
      double price = more / weights(layers.get(i));
      if (price < least) {
        least = price;
        cheapest = i;
      }
    }
    return cheapest;
  }

  /// @return `[layer][planes]`, 0 at 8; never rising with the planes, so that noise is no gain
  private double[][] sensitivities(QuantizationProgress progress) {
    List<float[]> expected = outputs(profiles.getLast());
    double[][] errors = new double[layers.size()][Bits.MAX + 1];
    int done = 0;
    for (int i = 0; i < layers.size(); i++) {
      for (int planes = Bits.MAX - 1; planes >= 1; planes--) {
        progress.advanced("measuring sensitivity", done++, layers.size() * (Bits.MAX - 1));
        Map<String, LayerPrecision> changed = new HashMap<>(profiles.getLast().layers());
        String name = layers.get(i).name();
        changed.put(name, new LayerPrecision(new Bits(planes), changed.get(name).input()));
        List<float[]> found = outputs(new PrecisionProfile(new Bits(Bits.MAX), changed, Map.of()));
        errors[i][planes] = Math.max(errors[i][planes + 1], error(found, expected));
      }
    }
    return errors;
  }

  private List<float[]> outputs(PrecisionProfile profile) {
    List<float[]> outputs = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        ExecutionContext context =
            Planner.plan(graph, Optional.of(profile), tensors, arena).newContext()) {
      for (Map<String, Tensor> run : runs) {
        context.run(run).values().stream()
            .filter(tensor -> tensor.type() == DataType.FP32)
            .map(Tensor::toFloats)
            .forEach(outputs::add);
      }
    }
    return outputs;
  }

  private static double error(List<float[]> found, List<float[]> expected) {
    double error = 0;
    double power = 0;
    for (int i = 0; i < found.size(); i++) {
      float[] a = found.get(i);
      float[] b = expected.get(i);
      for (int j = 0; j < a.length; j++) {
        error += (a[j] - b[j]) * (double) (a[j] - b[j]);
        power += b[j] * (double) b[j];
      }
    }
    return power == 0 ? 0 : error / power;
  }

  private PrecisionProfile profile(Bits width, int[] planes) {
    Map<String, LayerPrecision> allocated = new HashMap<>(profiles.get(width.count() - 1).layers());
    for (int i = 0; i < planes.length; i++) {
      String name = layers.get(i).name();
      allocated.put(name, new LayerPrecision(new Bits(planes[i]), allocated.get(name).input()));
    }
    return new PrecisionProfile(width, allocated, Map.of());
  }
}
