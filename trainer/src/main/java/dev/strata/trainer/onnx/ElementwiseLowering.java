package dev.strata.trainer.onnx;

import dev.strata.graph.Activation;
import dev.strata.graph.DataType;
import dev.strata.graph.Op;
import dev.strata.graph.Op.Binary.Function;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Operators that work element by element; they keep the layout of their operands.
final class ElementwiseLowering {
  private static final List<String> UNARY =
      List.of(
          "Relu",
          "LeakyRelu",
          "HardSigmoid",
          "HardSwish",
          "Sigmoid",
          "Tanh",
          "Erf",
          "Gelu",
          "Sqrt",
          "Exp",
          "Log",
          "Abs",
          "Neg",
          "Reciprocal");

  private final Values values;

  ElementwiseLowering(Values values) {
    this.values = values;
  }

  void register(Map<String, Consumer<OnnxNode>> table) {
    UNARY.forEach(type -> table.put(type, this::unary));
    table.put("Clip", this::clip);
    table.put("Add", node -> binary(node, Function.ADD));
    table.put("Sub", node -> binary(node, Function.SUB));
    table.put("Mul", node -> binary(node, Function.MUL));
    table.put("Div", node -> binary(node, Function.DIV));
    table.put("Pow", this::pow);
    table.put("PRelu", node -> binary(node, Function.PRELU));
    table.put("Mod", node -> binary(node, Function.MOD));
    table.put("Equal", node -> binary(node, Function.EQUAL));
    table.put("Sum", node -> chain(node, Function.ADD));
    table.put("Min", node -> chain(node, Function.MIN));
    table.put("Max", node -> chain(node, Function.MAX));
    table.put("Where", this::where);
    table.put("Cast", this::cast);
    table.put("Identity", this::same);
    table.put("Dropout", this::same);
  }

  private void same(OnnxNode node) {
    Layout layout = values.home(node.input(0));
    values.define(node.output(), layout, values.get(node.input(0), layout));
  }

  private void unary(OnnxNode node) {
    apply(node, Activations.of(node, values.network()).orElseThrow());
  }

  private void apply(OnnxNode node, Activation function) {
    Layout layout = values.home(node.input(0));
    String x = values.get(node.input(0), layout);
    values.add(node, new Op.Unary(function), List.of(x), layout);
  }

  private void clip(OnnxNode node) {
    Activations.of(node, values.network())
        .ifPresentOrElse(function -> apply(node, function), () -> clipToComputedBounds(node));
  }

  private void clipToComputedBounds(OnnxNode node) {
    Layout layout = values.home(node.input(0));
    String x = values.get(node.input(0), layout);
    if (node.optionalInput(1).isPresent()) {
      x = values.step(node, new Op.Binary(Function.MAX), x, values.plain(node.input(1)));
    }
    if (node.optionalInput(2).isPresent()) {
      x = values.step(node, new Op.Binary(Function.MIN), x, values.plain(node.input(2)));
    }
    values.define(node.output(), layout, x);
  }

  private void binary(OnnxNode node, Function function) {
    int rank = values.rank(node.output());
    Layout layout = values.common(node.inputs(), rank);
    String a = values.operand(node, node.input(0), rank, layout);
    String b = values.operand(node, node.input(1), rank, layout);
    values.add(node, new Op.Binary(function), List.of(a, b), layout);
  }

  /// Squares are products; whole-number exponents are made real.
  private void pow(OnnxNode node) {
    boolean isReal = values.facts(node.input(0)).type() == ElementType.REAL;
    int rank = values.rank(node.output());
    Layout layout = values.common(node.inputs(), rank);
    String base = values.operand(node, node.input(0), rank, layout);
    if (isReal
        && values.network().isScalar(node.input(1), 2)
        && rank == values.rank(node.input(0))) {
      values.add(node, new Op.Binary(Function.MUL), List.of(base, base), layout);
      return;
    }
    String exponent = values.operand(node, node.input(1), rank, layout);
    ElementType type = values.facts(node.input(1)).type();
    if (isReal && type != ElementType.REAL) {
      exponent = values.step(node, new Op.Cast(DataType.FP32), exponent);
    } else if (!isReal && type == ElementType.REAL) {
      throw new ModelImportException("a power of whole numbers with a real exponent");
    }
    values.add(node, new Op.Binary(Function.POW), List.of(base, exponent), layout);
  }

  /// Two operands at a time.
  private void chain(OnnxNode node, Function function) {
    int rank = values.rank(node.output());
    Layout layout = values.common(node.inputs(), rank);
    String result = values.operand(node, node.input(0), rank, layout);
    int last = node.inputs().size() - 1;
    for (int i = 1; i < last; i++) {
      String next = values.operand(node, node.input(i), rank, layout);
      result = values.step(node, new Op.Binary(function), result, next);
    }
    if (last == 0) {
      values.define(node.output(), layout, result);
    } else {
      String next = values.operand(node, node.input(last), rank, layout);
      values.add(node, new Op.Binary(function), List.of(result, next), layout);
    }
  }

  private void where(OnnxNode node) {
    int rank = values.rank(node.output());
    Layout layout = values.common(node.inputs(), rank);
    List<String> operands =
        node.inputs().stream().map(value -> values.operand(node, value, rank, layout)).toList();
    values.add(node, new Op.Where(), operands, layout);
  }

  private void cast(OnnxNode node) {
    ElementType from = values.facts(node.input(0)).type();
    ElementType to = values.facts(node.output()).type();
    Layout layout = values.home(node.input(0));
    String x = values.get(node.input(0), layout);
    if (to == from || (to == ElementType.WHOLE && from == ElementType.TRUTH)) {
      values.define(node.output(), layout, x);
    } else if (to == ElementType.TRUTH && from == ElementType.REAL) {
      String one = values.graph().constant("one", Tensors.scalar(1));
      String zero = values.graph().constant("zero", Tensors.scalar(0));
      String truth = values.step(node, new Op.Where(), x, one, zero);
      values.add(node, new Op.Cast(DataType.INT64), List.of(truth), layout);
    } else {
      DataType type =
          switch (to) {
            case REAL -> DataType.FP32;
            case WHOLE -> DataType.INT64;
            case TRUTH -> DataType.BOOL;
          };
      values.add(node, new Op.Cast(type), List.of(x), layout);
    }
  }

}
