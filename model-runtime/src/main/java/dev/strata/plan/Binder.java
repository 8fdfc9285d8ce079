package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;

import dev.strata.graph.Activation;
import dev.strata.graph.ConstantFolding;
import dev.strata.graph.DataType;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import dev.strata.graph.Operand;
import dev.strata.graph.Shape;
import dev.strata.graph.ShapeInference;
import dev.strata.graph.StridedView;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.graph.TensorType;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Binds a plan to the shapes of its inputs: walks the graph once, evaluates what is static, names
/// what is only a reshaped view, and makes steps of the rest.
final class Binder {
  /// Static tensors up to this many elements are evaluated in Java even where a kernel could do it.
  private static final long FOLDED_ELEMENTS = 4096;

  private final ExecutablePlan plan;
  private final Program program;
  private final Map<String, Value> values = new HashMap<>();
  private final MovementSteps movement;
  private final ArithmeticSteps arithmetic;
  private final WeightedSteps weighted;

  private Binder(ExecutablePlan plan, Arena arena) {
    this.plan = plan;
    program = new Program(arena);
    movement = new MovementSteps(program);
    arithmetic = new ArithmeticSteps(program, movement);
    weighted = new WeightedSteps(program);
  }

  /// @param shapes of the graph's inputs, in their order
  /// @param arena owns the bound plan's memory
  static BoundPlan bind(
      ExecutablePlan plan, List<Shape> shapes, Arena arena, MemoryPlan.Reuse reuse) {
    Binder binder = new Binder(plan, arena);
    binder.walk(shapes);
    return binder.link(reuse);
  }

  private void walk(List<Shape> shapes) {
    plan.constants().forEach((name, tensor) -> values.put(name, new Value.Static(tensor)));
    for (int i = 0; i < shapes.size(); i++) {
      TensorSpec spec = plan.graph().inputs().get(i);
      TensorType type = new TensorType(spec.type(), shapes.get(i));
      Region.Slot slot = program.slot(type);
      slot.liveAt(Region.Slot.START);
      values.put(spec.name(), new Value.Computed(type, slot));
    }
    for (Node node : plan.graph().nodes()) {
      program.enter(node.name());
      List<Value> inputs = node.inputs().stream().map(values::get).toList();
      try {
        List<Value> outputs = evaluate(node, inputs);
        for (int i = 0; i < outputs.size(); i++) {
          values.put(node.outputs().get(i), outputs.get(i));
        }
      } catch (IllegalArgumentException | ArithmeticException failure) {
        throw new IllegalArgumentException(
            "node '%s' (%s): %s"
                .formatted(node.name(), node.op().getClass().getSimpleName(), failure.getMessage()),
            failure);
      }
    }
  }

  private BoundPlan link(MemoryPlan.Reuse reuse) {
    for (String name : plan.graph().outputs()) {
      program.keep(program.region(values.get(name)), Region.Slot.END);
    }
    Program.Linked linked = program.link(reuse);
    return new BoundPlan(
        linked.steps(),
        plan.graph().inputs().stream().map(spec -> memory(linked, spec.name())).toList(),
        plan.graph().outputs().stream().map(name -> memory(linked, name)).toList(),
        linked.bytes());
  }

  private Tensor memory(Program.Linked linked, String name) {
    Value value = values.get(name);
    return new Tensor(
        value.type().type(), value.shape(), linked.memory().at(program.region(value)));
  }

  private List<Value> evaluate(Node node, List<Value> inputs) {
    Op op =
        node.op() instanceof Op.Split split
            ? ShapeInference.sized(split, inputs.get(0).shape(), node.outputs().size())
            : node.op();
    if (op instanceof Op.ShapeOf) {
      return List.of(new Value.Static(ConstantFolding.shapeOf(inputs.get(0).shape())));
    }
    Optional<LayerWeights> weights = plan.weights(op);
    List<Operand> operands = inputs.stream().map(Value::operand).toList();
    List<TensorType> types = ShapeInference.infer(op, weights.map(LayerWeights::layer), operands);
    if (isFoldable(op, inputs, types)) {
      List<Tensor> known = inputs.stream().map(value -> ((Value.Static) value).tensor()).toList();
      Optional<List<Tensor>> folded = ConstantFolding.evaluate(op, known);
      if (folded.isPresent()) {
        return folded.get().stream().map(tensor -> (Value) new Value.Static(tensor)).toList();
      }
    }
    if (op instanceof Op.Split split) {
      Value x = inputs.get(0);
      return ShapeInference.split(x.shape(), split).stream().map(part -> view(x, part)).toList();
    }
    if (types.get(0).shape().elements() == 0) {
      return List.of(computed(types.get(0), program.slot(0)));
    }
    return List.of(lower(op, weights, inputs, operands, types.get(0)));
  }

  /// Folding must not change a result with the batch it is in: what is folded only when small must
  /// be exact.
  private static boolean isFoldable(Op op, List<Value> inputs, List<TensorType> types) {
    boolean known = inputs.stream().allMatch(Value.Static.class::isInstance);
    long elements = types.stream().mapToLong(type -> type.shape().elements()).sum();
    return known
        && ConstantFolding.isExact(op)
        && (elements <= FOLDED_ELEMENTS || isHostOnly(op, inputs));
  }

  /// Whether there is no kernel for the operator on operands of this type.
  private static boolean isHostOnly(Op op, List<Value> inputs) {
    boolean integers =
        inputs.stream().skip(op instanceof Op.Where ? 1 : 0).anyMatch(Binder::isInteger);
    return switch (op) {
      case Op.Unary _, Op.Where _, Op.Reduce _ -> integers || isProduct(op);
      case Op.Binary binary ->
          integers
              || binary.kind() == Op.Binary.Function.MOD
              || binary.kind() == Op.Binary.Function.EQUAL;
      case Op.Pad pad -> isInteger(inputs.get(0)) && pad.mode() == Op.Pad.Filling.CONSTANT;
      case Op.Cast cast -> cast.to() == DataType.BOOL;
      case Op.ConstantOfShape constant -> constant.type() != FP32;
      case Op.Range _ -> true;
      // Other views of a static tensor cost nothing.
      case Op.Reshape _, Op.Flatten _, Op.Squeeze _, Op.Unsqueeze _ -> true;
      case Op.Linear _, Op.Conv _, Op.Embedding _, Op.MatMul _, Op.Softmax _ -> false;
      case Op.LayerNorm _, Op.Pool _, Op.Resize _, Op.Concat _, Op.Slice _ -> false;
      case Op.Split _, Op.Gather _, Op.Transpose _, Op.Expand _, Op.ShapeOf _ -> false;
    };
  }

  private static boolean isProduct(Op op) {
    return op instanceof Op.Reduce reduce && reduce.kind() == Op.Reduce.Reduction.PROD;
  }

  private static boolean isInteger(Value value) {
    return value.type().type() == DataType.INT64;
  }

  private Value lower(
      Op op,
      Optional<LayerWeights> weights,
      List<Value> inputs,
      List<Operand> operands,
      TensorType result) {
    Value x = inputs.get(0);
    Shape shape = result.shape();
    return switch (op) {
      case Op.Reshape _, Op.Flatten _, Op.Squeeze _, Op.Unsqueeze _ -> alias(x, result);
      case Op.Cast cast when x.type().equals(result) && cast.to() != DataType.BOOL -> x;
      case Op.Unary unary when unary.function().kind() == Activation.Kind.IDENTITY -> x;
      case Op.Slice _ -> view(x, ShapeInference.slice(operands));
      case Op.Transpose transpose ->
          view(x, StridedView.transpose(x.shape(), transpose.permutation()));
      case Op.Expand _ -> view(x, StridedView.broadcast(x.shape(), shape));
      case Op.Linear linear ->
          computed(
              result,
              weighted.linear(weights.orElseThrow(), linear.activation(), x, second(inputs)));
      case Op.Conv conv ->
          computed(result, weighted.conv(weights.orElseThrow(), conv, x, shape, second(inputs)));
      case Op.Embedding _ -> computed(result, weighted.embedding(weights.orElseThrow(), x));
      case Op.Concat concat -> computed(result, movement.concat(concat.axis(), inputs, result));
      case Op.Gather gather ->
          computed(result, movement.gather(gather.axis(), x, inputs.get(1), result));
      case Op.MatMul _ -> computed(result, arithmetic.matMul(x, inputs.get(1), shape));
      case Op.Softmax softmax -> computed(result, arithmetic.softmax(softmax.axis(), x));
      case Op.LayerNorm norm ->
          computed(result, arithmetic.layerNorm(norm.epsilon(), x, inputs.get(1), inputs.get(2)));
      case Op.Pool pool -> computed(result, arithmetic.pool(pool, x, shape));
      case Op.Resize resize -> computed(result, arithmetic.resize(resize, x, shape));
      case Op _ when isHostOnly(op, inputs) ->
          computed(result, arithmetic.onHost(op, inputs, result));
      case Op.Unary unary -> computed(result, arithmetic.unary(unary.function(), x));
      case Op.Binary binary ->
          computed(result, arithmetic.binary(binary.kind(), x, inputs.get(1), shape));
      case Op.Where _ -> computed(result, arithmetic.where(x, inputs.get(1), inputs.get(2), shape));
      case Op.Reduce reduce -> computed(result, arithmetic.reduce(reduce, x));
      case Op.Cast _ -> computed(result, arithmetic.cast(x, result));
      case Op.Pad pad -> computed(result, movement.pad(pad, operands, x, result));
      case Op.ConstantOfShape constant ->
          computed(result, movement.filled((float) constant.value(), shape.elements()));
      case Op.Split _, Op.ShapeOf _, Op.Range _ ->
          throw new AssertionError("evaluated before: " + op);
    };
  }

  private static Optional<Value> second(List<Value> inputs) {
    return inputs.size() > 1 ? Optional.of(inputs.get(1)) : Optional.empty();
  }

  private Value view(Value x, StridedView view) {
    TensorType type = new TensorType(x.type().type(), view.shape());
    if (view.isDense() && view.shape().elements() == x.elements()) {
      return alias(x, type);
    }
    if (view.shape().elements() == 0) {
      return computed(type, program.slot(0));
    }
    return computed(type, movement.copy(type.type(), program.region(x), view));
  }

  private Value alias(Value x, TensorType type) {
    return computed(type, program.region(x));
  }

  private static Value computed(TensorType type, Region region) {
    return new Value.Computed(type, region);
  }
}
