package dev.strata.trainer.onnx;

import static dev.strata.trainer.onnx.ModelBuilder.attribute;

import ai.onnxruntime.OrtException;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.onnx.AttributeProto;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.TensorProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every operator, with the settings real networks use, against ONNX Runtime on random inputs.
/// Each network has a variable batch size and runs at two of them.
class OperatorTest {
  private static final long SEED = 20240501;
  private static final double TOLERANCE = 1e-4;

  /// A network with the input `x` whose first dimension is variable, and the output `y`.
  ///
  /// @param dims of x after the first
  record Case(String name, ModelProto model, List<Long> dims) {
    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void givesWhatOnnxRuntimeGives(Case test) throws OrtException {
    Random random = new Random(SEED);
    List<Map<String, Tensor>> inputs = new ArrayList<>();
    for (long batch : new long[] {1, 3}) {
      long[] dims =
          Stream.concat(Stream.of(batch), test.dims().stream())
              .mapToLong(Long::longValue)
              .toArray();
      inputs.add(Map.of("x", Runs.random(random, dims)));
    }
    List<Map<String, Tensor>> expected = Runs.reference(test.model().toByteArray(), inputs);
    try (FloatModel model = OnnxImporter.read(test.model())) {
      List<Map<String, Tensor>> got = Runs.ours(model, inputs);
      for (int i = 0; i < expected.size(); i++) {
        Runs.assertClose(
            "seed " + SEED + ", y", expected.get(i).get("y"), got.get(i).get("y"), TOLERANCE);
      }
    }
  }

  static Stream<Case> all() {
    return Stream.of(
            elementwise(),
            activations(),
            images(),
            pooling(),
            resizing(),
            matrices(),
            normalization(),
            reductions(),
            movements(),
            shapes(),
            layouts())
        .flatMap(cases -> cases);
  }

  private static Stream<Case> elementwise() {
    List<Case> cases = new ArrayList<>();
    for (String type : List.of("Add", "Sub", "Mul", "Div", "Min", "Max")) {
      cases.add(
          image(type, b -> b.constant("c", positive(4, 1, 1)).node(type, ins("x", "c"), "y")));
    }
    cases.add(image("Add x", b -> b.node("Add", ins("x", "x"), "y")));
    cases.add(image("Sub from", b -> b.constant("c", positive()).node("Sub", ins("c", "x"), "y")));
    cases.add(
        image("PRelu", b -> b.constant("c", positive(4, 1, 1)).node("PRelu", ins("x", "c"), "y")));
    cases.add(image("Pow 2", b -> b.constant("c", number(2)).node("Pow", ins("x", "c"), "y")));
    cases.add(
        image(
            "Pow 0.7",
            b ->
                b.constant("c", number(0.7f))
                    .node("Abs", ins("x"), "a")
                    .node("Pow", ins("a", "c"), "y")));
    cases.add(
        image(
            "Pow 3 as INT64",
            b ->
                b.constant("c", Tensor.of(Shape.of(), new long[] {3}))
                    .node("Pow", ins("x", "c"), "y")));
    cases.add(image("Sum", b -> b.node("Neg", ins("x"), "n").node("Sum", ins("x", "n", "x"), "y")));
    cases.add(
        image(
            "Where",
            b ->
                b.constant("zero", number(0))
                    .node("Relu", ins("x"), "r")
                    .node("Cast", ins("r"), "truth", attribute("to", 9))
                    .node("Where", ins("truth", "x", "zero"), "y")));
    cases.add(
        image(
            "Cast to INT64 and back",
            b ->
                b.node("Cast", ins("x"), "i", attribute("to", 7))
                    .node("Cast", ins("i"), "y", attribute("to", 1))));
    return cases.stream();
  }

  private static Stream<Case> activations() {
    List<Case> cases = new ArrayList<>();
    for (String type :
        List.of(
            "Relu",
            "Sigmoid",
            "Tanh",
            "Erf",
            "Exp",
            "Neg",
            "Abs",
            "HardSigmoid",
            "HardSwish",
            "LeakyRelu",
            "Reciprocal",
            "Identity")) {
      cases.add(image(type, b -> b.node(type, ins("x"), "y")));
    }
    for (String type : List.of("Sqrt", "Log")) {
      cases.add(image(type, b -> b.node("Exp", ins("x"), "e").node(type, ins("e"), "y")));
    }
    cases.add(
        image("LeakyRelu 0.3", b -> b.node("LeakyRelu", ins("x"), "y", attribute("alpha", 0.3f))));
    cases.add(
        image(
            "HardSigmoid 0.1 0.4",
            b ->
                b.node(
                    "HardSigmoid",
                    ins("x"),
                    "y",
                    attribute("alpha", 0.1f),
                    attribute("beta", 0.4f))));
    cases.add(
        image(
            "Clip",
            b ->
                b.constant("low", number(-0.5f))
                    .constant("high", number(0.8f))
                    .node("Clip", ins("x", "low", "high"), "y")));
    cases.add(
        image(
            "Clip below", b -> b.constant("low", number(0.1f)).node("Clip", ins("x", "low"), "y")));
    cases.add(image("Dropout", b -> b.node("Dropout", ins("x"), "y")));
    cases.add(newest("Gelu", b -> b.node("Gelu", ins("x"), "y")));
    cases.add(
        newest("Gelu tanh", b -> b.node("Gelu", ins("x"), "y", attribute("approximate", "tanh"))));
    cases.add(
        image(
            "GELU with Erf, half last",
            b ->
                halves(b)
                    .node("Div", ins("x", "root"), "d")
                    .node("Erf", ins("d"), "e")
                    .node("Add", ins("e", "one"), "a")
                    .node("Mul", ins("x", "a"), "m")
                    .node("Mul", ins("m", "half"), "y")));
    cases.add(
        image(
            "GELU with Erf, half first",
            b ->
                halves(b)
                    .node("Mul", ins("half", "x"), "h")
                    .node("Div", ins("x", "root"), "d")
                    .node("Erf", ins("d"), "e")
                    .node("Add", ins("one", "e"), "a")
                    .node("Mul", ins("h", "a"), "y")));
    cases.add(
        image(
            "GELU with Tanh",
            b ->
                halves(b)
                    .constant("three", number(3))
                    .constant("k", number(0.044715f))
                    .constant("s", number((float) Math.sqrt(2 / Math.PI)))
                    .node("Pow", ins("x", "three"), "p")
                    .node("Mul", ins("k", "p"), "kp")
                    .node("Add", ins("x", "kp"), "i")
                    .node("Mul", ins("s", "i"), "si")
                    .node("Tanh", ins("si"), "t")
                    .node("Add", ins("t", "one"), "a")
                    .node("Mul", ins("half", "x"), "h")
                    .node("Mul", ins("h", "a"), "y")));
    cases.add(
        image(
            "hard swish with Clip",
            b -> clipped(b).node("Mul", ins("x", "c"), "m").node("Div", ins("m", "six"), "y")));
    cases.add(
        image(
            "hard sigmoid with Clip",
            b -> clipped(b).node("Div", ins("c", "six"), "s").node("Mul", ins("x", "s"), "y")));
    return cases.stream();
  }

  private static ModelBuilder halves(ModelBuilder builder) {
    return builder
        .constant("root", number((float) Math.sqrt(2)))
        .constant("one", number(1))
        .constant("half", number(0.5f));
  }

  private static ModelBuilder clipped(ModelBuilder builder) {
    return builder
        .constant("three", number(3))
        .constant("zero", number(0))
        .constant("six", number(6))
        .node("Add", ins("x", "three"), "a")
        .node("Clip", ins("a", "zero", "six"), "c");
  }

  private static Stream<Case> images() {
    return Stream.of(
        conv("Conv", 6, 4, 3, 3),
        conv("Conv without bias", 6, 4, 1, 1),
        conv("Conv padded", 6, 4, 3, 3, pads(1, 1, 1, 1)),
        conv("Conv padded unevenly", 6, 4, 3, 2, pads(0, 1, 2, 0)),
        conv("Conv strided", 6, 4, 3, 3, pads(1, 1, 1, 1), list("strides", 2, 2)),
        conv("Conv strided unevenly", 6, 4, 3, 3, list("strides", 2, 1)),
        conv("Conv dilated", 6, 4, 3, 3, pads(2, 2, 2, 2), list("dilations", 2, 2)),
        conv("Conv grouped", 6, 2, 3, 3, attribute("group", 2)),
        conv("Conv depthwise", 4, 1, 3, 3, pads(1, 1, 1, 1), attribute("group", 4)),
        conv("Conv with channel multiplier", 8, 1, 3, 3, attribute("group", 4)),
        conv(
            "Conv SAME_UPPER",
            6,
            4,
            3,
            3,
            attribute("auto_pad", "SAME_UPPER"),
            list("strides", 2, 2)),
        conv("Conv SAME_LOWER", 6, 4, 2, 2, attribute("auto_pad", "SAME_LOWER")),
        conv("Conv VALID", 6, 4, 3, 3, attribute("auto_pad", "VALID")),
        of(
            "Conv in one dimension",
            15,
            b ->
                b.constant("w", random(5, 4, 3))
                    .constant("b", random(5))
                    .node("Conv", ins("x", "w", "b"), "c", list("pads", 1, 1), list("strides", 2))
                    .node("Relu", ins("c"), "y"),
            4,
            11),
        image(
            "Conv, BatchNormalization and Relu",
            b ->
                batchNorm(
                        b.constant("w", random(4, 4, 3, 3)).node("Conv", ins("x", "w"), "c"),
                        "c",
                        "n")
                    .node("Relu", ins("n"), "y")),
        image(
            "Conv and a bias of its own",
            b ->
                b.constant("w", random(4, 4, 3, 3))
                    .constant("b", random(1, 4, 1, 1))
                    .node("Conv", ins("x", "w"), "c")
                    .node("Add", ins("c", "b"), "y")),
        image(
            "residual block",
            b ->
                b.constant("v", random(4, 4, 3, 3))
                    .constant("w", random(4, 4, 3, 3))
                    .node("Conv", ins("x", "v"), "c", pads(1, 1, 1, 1))
                    .node("Relu", ins("c"), "r")
                    .node("Conv", ins("r", "w"), "d", pads(1, 1, 1, 1))
                    .node("Add", ins("x", "d"), "s")
                    .node("Relu", ins("s"), "y")),
        image("BatchNormalization alone", b -> batchNorm(b, "x", "y")),
        image(
            "squeeze and excitation",
            b ->
                b.constant("w", random(4, 4, 1, 1))
                    .node("GlobalAveragePool", ins("x"), "p")
                    .node("Conv", ins("p", "w"), "c")
                    .node("HardSigmoid", ins("c"), "h")
                    .node("Mul", ins("x", "h"), "y")));
  }

  private static ModelBuilder batchNorm(ModelBuilder builder, String from, String to) {
    return builder
        .constant("scale", random(4))
        .constant("offset", random(4))
        .constant("mean", random(4))
        .constant("variance", positive(4))
        .node("BatchNormalization", ins(from, "scale", "offset", "mean", "variance"), to);
  }

  private static Stream<Case> pooling() {
    return Stream.of(
        pool("MaxPool", "MaxPool"),
        pool("MaxPool padded", "MaxPool", pads(1, 1, 1, 1), list("strides", 2, 2)),
        pool("MaxPool dilated", "MaxPool", list("dilations", 2, 2)),
        pool("MaxPool ceil", "MaxPool", list("strides", 2, 2), attribute("ceil_mode", 1)),
        pool(
            "MaxPool SAME_UPPER",
            "MaxPool",
            list("strides", 2, 2),
            attribute("auto_pad", "SAME_UPPER")),
        pool("AveragePool", "AveragePool"),
        pool("AveragePool padded", "AveragePool", pads(1, 1, 1, 1)),
        pool(
            "AveragePool counting padding",
            "AveragePool",
            pads(1, 1, 1, 1),
            attribute("count_include_pad", 1)),
        pool("AveragePool strided", "AveragePool", list("strides", 2, 3)),
        pool("AveragePool ceil", "AveragePool", list("strides", 2, 2), attribute("ceil_mode", 1)),
        of(
            "MaxPool in one dimension",
            15,
            b -> b.node("MaxPool", ins("x"), "y", list("kernel_shape", 3), list("strides", 2)),
            4,
            11),
        image("GlobalAveragePool", b -> b.node("GlobalAveragePool", ins("x"), "y")),
        image("GlobalMaxPool", b -> b.node("GlobalMaxPool", ins("x"), "y")));
  }

  private static Stream<Case> resizing() {
    List<Case> cases = new ArrayList<>();
    for (String mode : List.of("nearest", "linear")) {
      for (String place :
          List.of("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")) {
        cases.add(resize(mode, place, 2, 3));
        cases.add(resize(mode, place, 0.6f, 0.5f));
      }
    }
    for (String rounding : List.of("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")) {
      cases.add(
          image(
              "Resize to sizes, " + rounding,
              b ->
                  b.constant("size", numbers(9, 5))
                      .node("Shape", ins("x"), "s", attribute("start", 0), attribute("end", 2))
                      .node("Concat", ins("s", "size"), "to", attribute("axis", 0))
                      .node(
                          "Resize",
                          ins("x", "", "", "to"),
                          "y",
                          attribute("mode", "nearest"),
                          attribute("coordinate_transformation_mode", "asymmetric"),
                          attribute("nearest_mode", rounding))));
    }
    cases.add(
        image(
            "Pad",
            b ->
                b.constant("pads", numbers(0, 1, 2, 0, 0, 0, 1, 3))
                    .constant("value", number(0.5f))
                    .node("Pad", ins("x", "pads", "value"), "y")));
    for (String mode : List.of("reflect", "edge")) {
      cases.add(
          image(
              "Pad " + mode,
              b ->
                  b.constant("pads", numbers(0, 0, 2, 1, 0, 0, 1, 3))
                      .node("Pad", ins("x", "pads"), "y", attribute("mode", mode))));
    }
    return cases.stream();
  }

  private static Case resize(String mode, String place, float height, float width) {
    return image(
        "Resize %s %s by %s, %s".formatted(mode, place, height, width),
        b ->
            b.constant("scales", Tensor.of(Shape.of(4), new float[] {1, 1, height, width}))
                .node(
                    "Resize",
                    ins("x", "", "scales"),
                    "y",
                    attribute("mode", mode),
                    attribute("coordinate_transformation_mode", place),
                    attribute("nearest_mode", "floor")));
  }

  private static Stream<Case> matrices() {
    return Stream.of(
        rows(
            "MatMul with weights",
            b -> b.constant("w", random(6, 5)).node("MatMul", ins("x", "w"), "y")),
        rows(
            "MatMul, bias and Relu",
            b ->
                b.constant("w", random(6, 5))
                    .constant("b", random(5))
                    .node("MatMul", ins("x", "w"), "m")
                    .node("Add", ins("b", "m"), "a")
                    .node("Relu", ins("a"), "y")),
        rows(
            "MatMul and residual",
            b ->
                b.constant("w", random(6, 6))
                    .constant("b", random(6))
                    .node("MatMul", ins("x", "w"), "m")
                    .node("Add", ins("m", "b"), "a")
                    .node("Add", ins("a", "x"), "y")),
        rows(
            "MatMul of two computed values",
            b ->
                b.node("Transpose", ins("x"), "t", list("perm", 0, 2, 1))
                    .node("MatMul", ins("x", "t"), "y")),
        rows(
            "MatMul with a vector",
            b -> b.constant("v", random(6)).node("MatMul", ins("x", "v"), "y")),
        of(
            "Gemm",
            13,
            b ->
                b.constant("w", random(5, 6))
                    .constant("c", random(5))
                    .node(
                        "Gemm",
                        ins("x", "w", "c"),
                        "y",
                        attribute("transB", 1),
                        attribute("alpha", 0.5f),
                        attribute("beta", 2f)),
            6),
        of(
            "Gemm untransposed",
            13,
            b ->
                b.constant("w", random(6, 5))
                    .constant("c", random(1, 5))
                    .node("Gemm", ins("x", "w", "c"), "y"),
            6),
        of(
            "Gemm of computed values",
            13,
            b ->
                b.node(
                    "Gemm", ins("x", "x"), "y", attribute("transA", 1), attribute("alpha", 0.5f)),
            6),
        of(
            "Embedding",
            13,
            b ->
                b.constant("table", random(20, 3))
                    .node("Abs", ins("x"), "a")
                    .node("Cast", ins("a"), "ids", attribute("to", 7))
                    .node("Gather", ins("table", "ids"), "y"),
            6));
  }

  private static Stream<Case> normalization() {
    return Stream.of(
        rows("Softmax", b -> b.node("Softmax", ins("x"), "y")),
        rows("Softmax axis 1", b -> b.node("Softmax", ins("x"), "y", attribute("axis", 1))),
        of(
            "Softmax of opset 11",
            11,
            b -> b.node("Softmax", ins("x"), "y", attribute("axis", 1)),
            5,
            6),
        of(
            "Softmax of opset 11, last axis",
            11,
            b -> b.node("Softmax", ins("x"), "y", attribute("axis", 2)),
            5,
            6),
        image("Softmax over channels", b -> b.node("Softmax", ins("x"), "y", attribute("axis", 1))),
        of(
            "LayerNormalization",
            17,
            b ->
                b.constant("s", random(6))
                    .constant("b", random(6))
                    .node(
                        "LayerNormalization", ins("x", "s", "b"), "y", attribute("epsilon", 1e-3f)),
            5,
            6),
        of(
            "LayerNormalization over two axes",
            17,
            b ->
                b.constant("s", random(5, 6))
                    .node("LayerNormalization", ins("x", "s"), "y", attribute("axis", 1)),
            5,
            6),
        rows("layer normalization written out", OperatorTest::writtenOut));
  }

  private static ModelBuilder writtenOut(ModelBuilder builder) {
    return builder
        .constant("two", number(2))
        .constant("epsilon", number(1e-5f))
        .constant("s", random(6))
        .constant("b", random(6))
        .node("ReduceMean", ins("x"), "mean", list("axes", -1))
        .node("Sub", ins("x", "mean"), "d")
        .node("Pow", ins("d", "two"), "q")
        .node("ReduceMean", ins("q"), "variance", list("axes", -1))
        .node("Add", ins("variance", "epsilon"), "v")
        .node("Sqrt", ins("v"), "r")
        .node("Div", ins("d", "r"), "n")
        .node("Mul", ins("n", "s"), "m")
        .node("Add", ins("m", "b"), "y");
  }

  private static Stream<Case> reductions() {
    List<Case> cases = new ArrayList<>();
    for (String type : List.of("ReduceMean", "ReduceMax")) {
      cases.add(rows(type, b -> b.node(type, ins("x"), "y", list("axes", 1))));
      cases.add(image(type + " of places", b -> b.node(type, ins("x"), "y", list("axes", 2, 3))));
      cases.add(
          image(
              type + " of places, dropped",
              b -> b.node(type, ins("x"), "y", list("axes", 2, 3), attribute("keepdims", 0))));
      cases.add(
          image(
              type + " of channels, dropped",
              b -> b.node(type, ins("x"), "y", list("axes", 1), attribute("keepdims", 0))));
      cases.add(
          image(
              type + " of height, dropped",
              b -> b.node(type, ins("x"), "y", list("axes", -2), attribute("keepdims", 0))));
      cases.add(image(type + " of all", b -> b.node(type, ins("x"), "y")));
    }
    cases.add(
        rows(
            "ReduceSum",
            b -> b.constant("axes", numbers(-1)).node("ReduceSum", ins("x", "axes"), "y")));
    return cases.stream();
  }

  private static Stream<Case> movements() {
    return Stream.of(
        image("Transpose", b -> b.node("Transpose", ins("x"), "y", list("perm", 0, 3, 1, 2))),
        image(
            "Transpose to channels last",
            b -> b.node("Transpose", ins("x"), "y", list("perm", 0, 2, 3, 1))),
        image("Transpose by default", b -> b.node("Transpose", ins("x"), "y")),
        image(
            "Reshape", b -> b.constant("s", numbers(0, 4, -1)).node("Reshape", ins("x", "s"), "y")),
        image(
            "Reshape rows",
            b -> b.constant("s", numbers(-1, 7)).node("Reshape", ins("x", "s"), "y")),
        image("Flatten", b -> b.node("Flatten", ins("x"), "y")),
        image("Flatten 2", b -> b.node("Flatten", ins("x"), "y", attribute("axis", 2))),
        image(
            "Concat channels",
            b ->
                b.node("Neg", ins("x"), "n")
                    .node("Concat", ins("x", "n"), "y", attribute("axis", 1))),
        image("Concat last", b -> b.node("Concat", ins("x", "x"), "y", attribute("axis", -1))),
        image(
            "Concat with a constant",
            b ->
                b.constant("c", random(1, 4, 1, 7))
                    .node("ReduceMean", ins("x"), "m", list("axes", 0, 2))
                    .node("Concat", ins("m", "c"), "y", attribute("axis", 2))),
        image(
            "Split",
            b ->
                b.node("Split", ins("x"), List.of("p", "q"), attribute("axis", 1))
                    .node("Sub", ins("p", "q"), "y")),
        image(
            "Split to sizes",
            b ->
                b.constant("sizes", numbers(1, 3))
                    .node("Split", ins("x", "sizes"), List.of("p", "q"), attribute("axis", 1))
                    .node("Sub", ins("q", "p"), "y")),
        image(
            "Slice",
            b ->
                b.constant("starts", numbers(1, -3))
                    .constant("ends", numbers(3, 100))
                    .constant("axes", numbers(1, -1))
                    .node("Slice", ins("x", "starts", "ends", "axes"), "y")),
        image(
            "Slice backwards",
            b ->
                b.constant("starts", numbers(-1))
                    .constant("ends", numbers(-100))
                    .constant("axes", numbers(2))
                    .constant("steps", numbers(-2))
                    .node("Slice", ins("x", "starts", "ends", "axes", "steps"), "y")),
        image(
            "Gather",
            b ->
                b.constant("i", numbers(2, 0, -1))
                    .node("Gather", ins("x", "i"), "y", attribute("axis", 1))),
        image(
            "Gather one",
            b ->
                b.constant("i", Tensor.of(Shape.of(), new long[] {1}))
                    .node("Gather", ins("x", "i"), "y", attribute("axis", 2))),
        image(
            "Unsqueeze and Squeeze",
            b ->
                b.constant("axes", numbers(1, 3))
                    .constant("gone", numbers(3))
                    .node("Unsqueeze", ins("x", "axes"), "u")
                    .node("Squeeze", ins("u", "gone"), "y")),
        image(
            "Expand",
            b ->
                b.constant("shape", numbers(2, 1, 1, 1, 1))
                    .node("Expand", ins("x", "shape"), "y")));
  }

  private static Stream<Case> shapes() {
    return Stream.of(
        image("Shape", b -> b.node("Shape", ins("x"), "y")),
        image("Shape of an NHWC value", b -> conv1(b).node("Shape", ins("c"), "y")),
        image(
            "Reshape to a computed shape",
            b ->
                conv1(b)
                    .constant("zero", Tensor.of(Shape.of(), new long[] {0}))
                    .constant("axes", numbers(0))
                    .constant("rest", numbers(-1))
                    .node("Shape", ins("c"), "s")
                    .node("Gather", ins("s", "zero"), "n")
                    .node("Unsqueeze", ins("n", "axes"), "u")
                    .node("Concat", ins("u", "rest"), "t", attribute("axis", 0))
                    .node("Reshape", ins("c", "t"), "y")),
        image(
            "ConstantOfShape",
            b ->
                b.node("Shape", ins("x"), "s")
                    .node(
                        "ConstantOfShape",
                        ins("s"),
                        "c",
                        attribute("value", Tensor.of(Shape.of(1), new float[] {2})))
                    .node("Add", ins("x", "c"), "y")),
        image(
            "Range",
            b ->
                b.constant("zero", Tensor.of(Shape.of(), new long[] {0}))
                    .constant("one", Tensor.of(Shape.of(), new long[] {1}))
                    .node("Shape", ins("x"), "s")
                    .node("Gather", ins("s", "zero"), "n")
                    .node("Range", ins("zero", "n", "one"), "y")),
        image(
            "Expand by Equal and Where, as PyTorch writes it",
            b ->
                b.constant("wanted", numbers(2, -1, -1, -1, -1))
                    .constant("minus", Tensor.of(Shape.of(), new long[] {-1}))
                    .constant("ones", numbers(1, 1, 1, 1, 1))
                    .node("Equal", ins("wanted", "minus"), "e")
                    .node("Where", ins("e", "ones", "wanted"), "shape")
                    .node("Expand", ins("x", "shape"), "y")));
  }

  private static ModelBuilder conv1(ModelBuilder builder) {
    return builder.constant("w", random(3, 4, 2, 2)).node("Conv", ins("x", "w"), "c");
  }

  /// Networks whose operators must agree on where the channels are.
  private static Stream<Case> layouts() {
    return Stream.of(
        image(
            "Conv and Transpose",
            b -> conv1(b).node("Transpose", ins("c"), "y", list("perm", 0, 2, 3, 1))),
        image(
            "Conv and another Transpose",
            b -> conv1(b).node("Transpose", ins("c"), "y", list("perm", 2, 0, 1, 3))),
        image(
            "Conv to a sequence",
            b ->
                conv1(b)
                    .constant("s", numbers(0, 3, -1))
                    .constant("m", random(3, 5))
                    .node("Reshape", ins("c", "s"), "r")
                    .node("Transpose", ins("r"), "t", list("perm", 0, 2, 1))
                    .node("MatMul", ins("t", "m"), "y")),
        image(
            "a sequence to Conv",
            b ->
                b.constant("s", numbers(0, 6, 7, 4))
                    .constant("w", random(3, 4, 2, 2))
                    .node("Reshape", ins("x", "s"), "r")
                    .node("Transpose", ins("r"), "t", list("perm", 0, 3, 1, 2))
                    .node("Conv", ins("t", "w"), "y")),
        image(
            "Conv, Flatten and Gemm",
            b ->
                conv1(b)
                    .constant("m", random(90, 5))
                    .node("Flatten", ins("c"), "f")
                    .node("Gemm", ins("f", "m"), "y")),
        image(
            "channel shuffle",
            b ->
                b.constant("s", numbers(0, 2, 2, 6, 7))
                    .constant("back", numbers(0, 4, 6, 7))
                    .constant("w", random(4, 4, 1, 1))
                    .node("Conv", ins("x", "w"), "c")
                    .node("Reshape", ins("c", "s"), "r")
                    .node("Transpose", ins("r"), "t", list("perm", 0, 2, 1, 3, 4))
                    .node("Reshape", ins("t", "back"), "y")),
        image(
            "Conv plus a plain value of fewer dimensions",
            b ->
                conv1(b)
                    .node("ReduceMean", ins("x"), "m", list("axes", 0, 1), attribute("keepdims", 0))
                    .constant("starts", numbers(0, 0))
                    .constant("ends", numbers(5, 6))
                    .node("Slice", ins("m", "starts", "ends"), "p")
                    .node("Add", ins("c", "p"), "y")),
        image(
            "Conv minus its Softmax over the width",
            b ->
                conv1(b)
                    .node("Softmax", ins("c"), "s", attribute("axis", 3))
                    .node("Sub", ins("c", "s"), "y")),
        image(
            "Conv, mean of the height, Conv in one dimension",
            b ->
                conv1(b)
                    .constant("v", random(2, 3, 3))
                    .node("ReduceMean", ins("c"), "m", list("axes", 2), attribute("keepdims", 0))
                    .node("Conv", ins("m", "v"), "y")),
        image(
            "Conv, Slice, Split, Pad and Concat",
            b ->
                b.constant("w", random(4, 4, 1, 1))
                    .constant("starts", numbers(1))
                    .constant("ends", numbers(6))
                    .constant("axes", numbers(3))
                    .constant("pads", numbers(0, 0, 0, 1, 0, 0, 0, 1))
                    .node("Conv", ins("x", "w"), "c")
                    .node("Slice", ins("c", "starts", "ends", "axes"), "s")
                    .node("Pad", ins("s", "pads"), "q")
                    .node("Split", ins("q"), List.of("a", "b"), attribute("axis", 1))
                    .node("Concat", ins("b", "x", "a"), "y", attribute("axis", 1))));
  }

  private static Case conv(
      String name, int outputs, int inputs, int height, int width, AttributeProto... attributes) {
    return image(
        name,
        b -> {
          b.constant("w", random(outputs, inputs, height, width));
          boolean hasBias = !name.contains("without bias");
          if (hasBias) {
            b.constant("b", random(outputs));
          }
          return b.node("Conv", hasBias ? ins("x", "w", "b") : ins("x", "w"), "y", attributes);
        });
  }

  private static Case pool(String name, String type, AttributeProto... attributes) {
    List<AttributeProto> all = new ArrayList<>(List.of(attributes));
    all.add(list("kernel_shape", 3, 2));
    return image(name, b -> b.node(type, ins("x"), "y", all.toArray(AttributeProto[]::new)));
  }

  private static AttributeProto pads(long... values) {
    return list("pads", values);
  }

  private static AttributeProto list(String name, long... values) {
    return attribute(name, Tensors.longs(numbers(values)));
  }

  private static List<String> ins(String... names) {
    return List.of(names);
  }

  private static Case image(String name, UnaryOperator<ModelBuilder> nodes) {
    return of(name, 15, nodes, 4, 6, 7);
  }

  private static Case newest(String name, UnaryOperator<ModelBuilder> nodes) {
    return of(name, 20, nodes, 4, 6, 7);
  }

  private static Case rows(String name, UnaryOperator<ModelBuilder> nodes) {
    return of(name, 13, nodes, 5, 6);
  }

  private static Case of(
      String name, int opset, UnaryOperator<ModelBuilder> nodes, Integer... dims) {
    List<Object> shape = new ArrayList<>(List.of("N"));
    shape.addAll(List.of(dims));
    ModelBuilder builder =
        new ModelBuilder(opset).input("x", TensorProto.DataType.FLOAT, shape.toArray());
    return new Case(
        name, nodes.apply(builder).build("y"), Stream.of(dims).map(Integer::longValue).toList());
  }

  private static Tensor random(long... dims) {
    return Runs.random(new Random(SEED + dims.length), dims);
  }

  private static Tensor positive(long... dims) {
    float[] values = random(dims).toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.abs(values[i]) + 0.1f;
    }
    return Tensor.of(Shape.of(dims), values);
  }

  private static Tensor number(float value) {
    return Tensors.scalar(value);
  }

  private static Tensor numbers(long... values) {
    return Tensor.of(Shape.of(values.length), values);
  }
}
