package dev.strata.plan;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.strata.graph.Activation;
import dev.strata.graph.Constant;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.graph.TensorSpec;
import dev.strata.kernel.NativeKernels;
import dev.strata.kernel.Structs;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.CascadeView;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntToDoubleFunction;

/// Makes a plan of a graph at one precision: looks all tensors up, writes the structs that name the
/// planes to read, and folds static activation zero points into biases. Weights are not copied.
public final class Planner {
  private static final long ALIGNMENT = 64;

  private final Arena arena;
  private final TensorSource tensors;

  private Planner(TensorSource tensors, Arena arena) {
    this.tensors = tensors;
    this.arena = arena;
  }

  /// @param profile what is read of each layer in planes; may be absent when all layers are floats
  /// @param tensors weights and constants; must outlive the plan
  /// @param arena where structs and biases go; must outlive the plan
  /// @throws IllegalArgumentException if the graph, the profile and the tensors do not fit
  ///     together; the message names the node or layer
  public static ExecutablePlan plan(
      ModelGraph graph, Optional<PrecisionProfile> profile, TensorSource tensors, Arena arena) {
    requireWired(graph);
    Planner planner = new Planner(tensors, arena);
    Map<String, Tensor> constants = new HashMap<>();
    for (Constant constant : graph.constants()) {
      constants.put(
          constant.name(),
          new Tensor(constant.type(), constant.shape(), tensors.get(constant.name())));
    }
    Map<String, LayerWeights> layers = new HashMap<>();
    for (Node node : graph.nodes()) {
      ExecutablePlan.layerName(node.op())
          .ifPresent(
              name -> {
                Layer layer = graph.layer(name);
                requireFitting(node, layer);
                layers.computeIfAbsent(name, _ -> planner.weights(layer, profile));
              });
    }
    return new ExecutablePlan(graph, constants, layers);
  }

  /// Every value is written before it is read.
  private static void requireWired(ModelGraph graph) {
    Set<String> known = new HashSet<>();
    graph.inputs().stream().map(TensorSpec::name).forEach(known::add);
    graph.constants().stream().map(Constant::name).forEach(known::add);
    for (Node node : graph.nodes()) {
      for (String input : node.inputs()) {
        if (!known.contains(input)) {
          throw new IllegalArgumentException(
              "node '%s': reads '%s', which nothing before it writes"
                  .formatted(node.name(), input));
        }
      }
      known.addAll(node.outputs());
    }
    for (String output : graph.outputs()) {
      if (!known.contains(output)) {
        throw new IllegalArgumentException(
            "graph output '%s': nothing writes it".formatted(output));
      }
    }
  }

  private static void requireFitting(Node node, Layer layer) {
    boolean fits = ExecutablePlan.layerKinds(node.op()).contains(layer.kind());
    if (fits && node.op() instanceof Op.Conv conv && layer.kind() == Layer.Kind.CONV) {
      int taps = conv.window().kernelHeight() * conv.window().kernelWidth();
      fits = layer.layout().columns() % taps == 0 && layer.layout().submatrices() == conv.groups();
    }
    if (fits && node.op() instanceof Op.Conv conv && layer.kind() == Layer.Kind.DEPTHWISE) {
      int taps = conv.window().kernelHeight() * conv.window().kernelWidth();
      fits = layer.layout().columns() == taps;
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "node '%s': %s does not fit layer %s".formatted(node.name(), node.op(), layer));
    }
  }

  private LayerWeights weights(Layer layer, Optional<PrecisionProfile> profile) {
    return switch (layer.storage()) {
      case FLOAT -> floats(layer);
      case PLANES ->
          planes(
              layer,
              profile
                  .orElseThrow(
                      () ->
                          new IllegalArgumentException(
                              "layer '%s': is in planes, expected a precision profile"
                                  .formatted(layer.name())))
                  .layer(layer.name()));
    };
  }

  private LayerWeights floats(Layer layer) {
    PlaneLayout layout = layer.layout();
    MemorySegment weight = tensors.get(layer.name() + ".weight");
    requireFloats(layer, "weight", weight, (long) layout.rows() * layout.columns());
    MemorySegment bias = floatRows(layout);
    tensors
        .find(layer.name() + ".bias")
        .ifPresent(
            values -> {
              requireFloats(layer, "bias", values, layout.rows());
              for (int row = 0; row < layout.rows(); row++) {
                bias.setAtIndex(
                    JAVA_FLOAT, layout.paddedRow(row), values.getAtIndex(JAVA_FLOAT, row));
              }
            });
    return new LayerWeights.Floats(layer, detached(weight), detached(bias));
  }

  private static void requireFloats(Layer layer, String what, MemorySegment found, long count) {
    if (found.byteSize() != count * Float.BYTES) {
      throw new IllegalArgumentException(
          "%s of layer '%s': got %d bytes, expected %d"
              .formatted(what, layer.name(), found.byteSize(), count * Float.BYTES));
    }
  }

  private LayerWeights planes(Layer layer, PrecisionProfile.LayerPrecision precision) {
    requireQuantizer(layer, precision.input());
    PlaneLayout layout = layer.layout();
    CascadeView view = CascadeView.of(layer.name(), layout, precision.planes(), tensors::get);
    Optional<ChannelScales> channels =
        precision.input() instanceof ActivationQuantizer.PerChannel
            ? Optional.of(channelScales(layer))
            : Optional.empty();
    MemorySegment scale = view.scale();
    MemorySegment offset = view.offset();
    if (channels.isPresent()) {
      scale = multiplied(layout, scale, channels.get().scale());
      offset = multiplied(layout, offset, channels.get().scale());
    }
    MemorySegment structs =
        arena.allocate(layout.submatrices() * Structs.weightsBytes(), ALIGNMENT);
    for (int submatrix = 0; submatrix < layout.submatrices(); submatrix++) {
      Part part = new Part(submatrix, layout.submatrices());
      Structs.weights(
          structs,
          submatrix,
          view.planes().planes().stream().map(part::of).toList(),
          layout.submatrixRows(),
          layout.paddedColumns(),
          layout.groupSize(),
          part.of(view.groups()),
          part.of(scale),
          part.of(offset));
    }
    LayerWeights.Planes plain =
        new LayerWeights.Planes(
            layer,
            precision.planes(),
            precision.input(),
            detached(structs),
            detached(view.bias()),
            channels.map(ChannelScales::codes));
    if (layer.kind() == Layer.Kind.EMBEDDING) {
      return plain;
    }
    return switch (precision.input()) {
      case ActivationQuantizer.PerTensor tensor when tensor.zeroPoint() != 0 -> {
        double zero = (double) tensor.scale() * tensor.zeroPoint();
        yield shifted(plain, _ -> zero);
      }
      case ActivationQuantizer.PerChannel _ ->
          shifted(plain, row -> channels.orElseThrow().codes().zeroPoint().get(JAVA_BYTE, row));
      case ActivationQuantizer.PerTensor _,
          ActivationQuantizer.PerGroup _,
          ActivationQuantizer.PerSample _ ->
          plain;
    };
  }

  /// How the channels of a layer's input become codes.
  ///
  /// @param scale FP32 `[channels]`: values of one code
  private record ChannelScales(MemorySegment scale, LayerWeights.Planes.Channels codes) {}

  private ChannelScales channelScales(Layer layer) {
    int channels = layer.layout().rows();
    String name = PlaneNames.input(layer.name());
    MemorySegment values = tensors.get(name);
    requireFloats(layer, "input scales", values, 2L * channels);
    MemorySegment inverse = arena.allocate((long) channels * Float.BYTES, ALIGNMENT);
    MemorySegment zeroPoint = arena.allocate(channels, ALIGNMENT);
    for (int c = 0; c < channels; c++) {
      float scale = values.getAtIndex(JAVA_FLOAT, c);
      float zero = values.getAtIndex(JAVA_FLOAT, channels + c);
      if (!(scale > 0) || !Float.isFinite(1 / scale) || zero != (byte) zero) {
        throw new IllegalArgumentException(
            "tensor '%s', channel %d: got scale %s and zero point %s, expected a scale > 0 and a"
                    .formatted(name, c, scale, zero)
                + " whole number of -128 to 127");
      }
      inverse.setAtIndex(JAVA_FLOAT, c, 1 / scale);
      zeroPoint.set(JAVA_BYTE, c, (byte) zero);
    }
    return new ChannelScales(
        values, new LayerWeights.Planes.Channels(detached(inverse), detached(zeroPoint)));
  }

  /// A row of a scale table times the scales of the channels, which are the rows.
  private MemorySegment multiplied(PlaneLayout layout, MemorySegment table, MemorySegment by) {
    MemorySegment product = floatRows(layout);
    for (int row = 0; row < layout.rows(); row++) {
      int at = layout.paddedRow(row);
      float scaled = table.getAtIndex(JAVA_FLOAT, at) * by.getAtIndex(JAVA_FLOAT, row);
      product.setAtIndex(JAVA_FLOAT, at, scaled);
    }
    return product;
  }

  /// One submatrix of equally large ones, which lie one after another.
  private record Part(int index, int count) {
    MemorySegment of(MemorySegment all) {
      long bytes = all.byteSize() / count;
      return all.asSlice(index * bytes, bytes);
    }
  }

  private static void requireQuantizer(Layer layer, ActivationQuantizer quantizer) {
    boolean fits =
        switch (layer.kind()) {
          case LINEAR -> !(quantizer instanceof ActivationQuantizer.PerSample);
          case CONV, DEPTHWISE -> !(quantizer instanceof ActivationQuantizer.PerGroup);
          case EMBEDDING -> true;
        };
    fits &=
        layer.kind() == Layer.Kind.DEPTHWISE
            || !(quantizer instanceof ActivationQuantizer.PerChannel);
    if (!fits) {
      throw new IllegalArgumentException(
          "input quantizer of layer '%s': got %s, expected another kind for %s"
              .formatted(layer.name(), quantizer, layer.kind()));
    }
  }

  /// Moves the activations' zero point into the bias: with codes q and x = scale (q - zero),
  /// `sum w x = scale sum w q - scale zero R`, R the sum of a channel's weights. R is what the
  /// kernel itself gives for codes of 1.
  ///
  /// @param zeroOf what goes with the kernel's R of a row: `scale zero`, or only the zero point
  ///     where the scale is in the weights
  private LayerWeights shifted(LayerWeights.Planes weights, IntToDoubleFunction zeroOf) {
    PlaneLayout layout = weights.layer().layout();
    MemorySegment bias = floatRows(layout);
    try (Arena scratch = Arena.ofConfined()) {
      int columns = layout.columns();
      MemorySegment codes = scratch.allocate(layout.paddedColumns(), ALIGNMENT);
      codes.asSlice(0, columns).fill((byte) 1);
      MemorySegment sums = scratch.allocate((long) layout.groups() * Integer.BYTES, ALIGNMENT);
      for (int group = 0; group < layout.groups(); group++) {
        int real = Math.clamp(columns - group * layout.groupSize(), 0, layout.groupSize());
        sums.setAtIndex(JAVA_INT, group, real);
      }
      MemorySegment ones = scratch.allocate((long) layout.groups() * Float.BYTES, ALIGNMENT);
      for (int group = 0; group < layout.groups(); group++) {
        ones.setAtIndex(JAVA_FLOAT, group, 1);
      }
      MemorySegment rows = scratch.allocate(Structs.rowsBytes(), ALIGNMENT);
      Structs.rows(rows, codes, sums, ones, 1, layout.groups());
      long panelRows = (long) layout.submatrixPanels() * PlaneLayout.PANEL_ROWS;
      MemorySegment zeros = scratch.allocate(panelRows * Float.BYTES, ALIGNMENT);
      MemorySegment totals = scratch.allocate(panelRows * Float.BYTES, ALIGNMENT);
      MemorySegment epilogue = scratch.allocate(Structs.epilogueBytes(), ALIGNMENT);
      Structs.epilogue(
          epilogue, zeros, MemorySegment.NULL, 0, Activation.IDENTITY, totals, panelRows);
      for (int submatrix = 0; submatrix < layout.submatrices(); submatrix++) {
        NativeKernels.stream(weights.struct(submatrix), rows, epilogue);
        MemorySegment plain = weights.bias(submatrix);
        MemorySegment target =
            bias.asSlice(submatrix * panelRows * Float.BYTES, panelRows * Float.BYTES);
        for (int row = 0; row < layout.submatrixRows(); row++) {
          int channel = submatrix * layout.submatrixRows() + row;
          double shift = zeroOf.applyAsDouble(channel) * totals.getAtIndex(JAVA_FLOAT, row);
          target.setAtIndex(JAVA_FLOAT, row, (float) (plain.getAtIndex(JAVA_FLOAT, row) - shift));
        }
      }
    }
    return new LayerWeights.Planes(
        weights.layer(),
        weights.planes(),
        weights.input(),
        weights.structs(),
        detached(bias),
        weights.channels());
  }

  private MemorySegment floatRows(PlaneLayout layout) {
    return arena.allocate((long) layout.paddedRows() * Float.BYTES, ALIGNMENT).fill((byte) 0);
  }

  /// By address only, so that calls pay for no liveness check; the caller keeps the arenas open.
  private static MemorySegment detached(MemorySegment memory) {
    return new Region.Fixed(memory).memory();
  }
}
