package dev.strata.trainer.onnx;

import dev.strata.graph.Op;
import dev.strata.graph.Op.Pool.Pooling;
import dev.strata.graph.Op.Reduce.Reduction;
import dev.strata.graph.Op.Resize.Coordinates;
import dev.strata.graph.Op.Resize.Interpolation;
import dev.strata.graph.Op.Resize.Rounding;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Pooling, resizing and padding.
final class ImageLowering {
  private final Values values;

  ImageLowering(Values values) {
    this.values = values;
  }

  void register(Map<String, Consumer<OnnxNode>> table) {
    table.put("MaxPool", node -> pool(node, Pooling.MAX));
    table.put("AveragePool", node -> pool(node, Pooling.AVERAGE));
    table.put("GlobalAveragePool", node -> global(node, Reduction.MEAN));
    table.put("GlobalMaxPool", node -> global(node, Reduction.MAX));
    table.put("Resize", this::resize);
    table.put("Pad", this::pad);
  }

  private void pool(OnnxNode node, Pooling kind) {
    List<Long> kernel = node.attributes().integers("kernel_shape", List.of());
    Op.Window window = Windows.of(node, values.extents(node.input(0)), kernel);
    Windows.add(
        values,
        node,
        new Op.Pool(
            kind,
            window,
            node.attributes().flag("ceil_mode", false),
            node.attributes().flag("count_include_pad", false)));
  }

  private void global(OnnxNode node, Reduction kind) {
    int rank = values.rank(node.input(0));
    Layout layout = rank < 3 ? Layout.PLAIN : Layout.CHANNELS_LAST;
    List<Integer> places =
        IntStream.range(2, rank).mapToObj(axis -> layout.position(axis, rank)).toList();
    values.add(
        node,
        new Op.Reduce(kind, places, true),
        List.of(values.get(node.input(0), layout)),
        layout);
  }

  private void resize(OnnxNode node) {
    List<Extent> plain = values.extents(node.input(0));
    if (plain.size() != 4) {
      throw new ModelImportException(
          "a value with %d dimensions, expected 4 (images)".formatted(plain.size()));
    }
    List<Integer> axes =
        node.attributes()
            .integers("axes")
            .map(list -> list.stream().map(axis -> Axes.normal(axis.intValue(), 4)).toList())
            .orElse(Axes.all(4));
    List<String> inputs = new ArrayList<>();
    inputs.add(values.get(node.input(0), Layout.CHANNELS_LAST));
    List<Float> scales = List.of();
    Optional<String> sizes = node.optionalInput(3);
    if (sizes.isPresent()) {
      inputs.add(heightAndWidth(node, sizes.get(), axes));
    } else {
      scales = scales(node, axes);
    }
    Op op = new Op.Resize(interpolation(node), coordinates(node), rounding(node), scales);
    values.add(node, op, inputs, Layout.CHANNELS_LAST);
  }

  private String heightAndWidth(OnnxNode node, String sizes, List<Integer> axes) {
    if (!axes.containsAll(List.of(2, 3))) {
      throw new ModelImportException("sizes for axes %s, expected 2 and 3".formatted(axes));
    }
    String places = values.graph().numbers(axes.indexOf(2), axes.indexOf(3));
    return values.step(node, new Op.Gather(0), values.plain(sizes), places);
  }

  private List<Float> scales(OnnxNode node, List<Integer> axes) {
    Tensor tensor =
        node.optionalInput(2)
            .flatMap(values::constant)
            .orElseThrow(() -> new ModelImportException("its scales must be constant"));
    float[] given = tensor.toFloats();
    float[] all = {1, 1, 1, 1};
    for (int i = 0; i < axes.size(); i++) {
      all[axes.get(i)] = given[i];
    }
    if (all[0] != 1 || all[1] != 1) {
      throw new ModelImportException("scales batch or channels; only height and width can be");
    }
    return List.of(all[2], all[3]);
  }

  private static Interpolation interpolation(OnnxNode node) {
    return switch (node.attributes().text("mode", "nearest")) {
      case "nearest" -> Interpolation.NEAREST;
      case "linear" -> Interpolation.LINEAR;
      case String mode -> throw new ModelImportException("mode %s".formatted(mode));
    };
  }

  private static Coordinates coordinates(OnnxNode node) {
    return switch (node.attributes().text("coordinate_transformation_mode", "half_pixel")) {
      case "half_pixel" -> Coordinates.HALF_PIXEL;
      case "pytorch_half_pixel" -> Coordinates.PYTORCH_HALF_PIXEL;
      case "align_corners" -> Coordinates.ALIGN_CORNERS;
      case "asymmetric" -> Coordinates.ASYMMETRIC;
      case String mode ->
          throw new ModelImportException("coordinate_transformation_mode %s".formatted(mode));
    };
  }

  private static Rounding rounding(OnnxNode node) {
    return switch (node.attributes().text("nearest_mode", "round_prefer_floor")) {
      case "round_prefer_floor" -> Rounding.ROUND_PREFER_FLOOR;
      case "round_prefer_ceil" -> Rounding.ROUND_PREFER_CEIL;
      case "floor" -> Rounding.FLOOR;
      case "ceil" -> Rounding.CEIL;
      case String mode -> throw new ModelImportException("nearest_mode %s".formatted(mode));
    };
  }

  private void pad(OnnxNode node) {
    int rank = values.rank(node.input(0));
    Op.Pad op = new Op.Pad(filling(node), padValue(node));
    Optional<List<Long>> pads = values.constant(node.input(1)).map(Tensors::longs);
    Layout layout = pads.isPresent() ? values.home(node.input(0)) : Layout.PLAIN;
    String x = values.get(node.input(0), layout);
    if (pads.isEmpty() && node.optionalInput(3).isPresent()) {
      throw new ModelImportException("computed pads for chosen axes");
    }
    String amounts =
        pads.map(list -> values.graph().numbers(inMemory(node, list, rank, layout)))
            .orElseGet(() -> values.plain(node.input(1)));
    values.add(node, op, List.of(x, amounts), layout);
  }

  private List<Long> inMemory(OnnxNode node, List<Long> pads, int rank, Layout layout) {
    List<Integer> axes = Axes.list(node, values.network(), 3, rank).orElse(Axes.all(rank));
    Long[] result = new Long[2 * rank];
    Arrays.fill(result, 0L);
    for (int i = 0; i < axes.size(); i++) {
      int place = layout.position(axes.get(i), rank);
      result[place] = pads.get(i);
      result[place + rank] = pads.get(i + axes.size());
    }
    return List.of(result);
  }

  private static Op.Pad.Filling filling(OnnxNode node) {
    return switch (node.attributes().text("mode", "constant")) {
      case "constant" -> Op.Pad.Filling.CONSTANT;
      case "reflect" -> Op.Pad.Filling.REFLECT;
      case "edge" -> Op.Pad.Filling.EDGE;
      case String mode -> throw new ModelImportException("mode %s".formatted(mode));
    };
  }

  private float padValue(OnnxNode node) {
    return node.optionalInput(2)
        .map(
            value ->
                (float)
                    values
                        .network()
                        .scalar(value)
                        .orElseThrow(
                            () -> new ModelImportException("its filling value must be constant")))
        .orElse(0f);
  }
}
