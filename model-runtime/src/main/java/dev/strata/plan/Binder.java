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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;

/// Binds a plan to the shapes of its inputs: walks the graph once, evaluates what is static, names
/// what is only a reshaped view, and makes steps of the rest.
final class Binder {
  /// Static tensors up to this many elements are evaluated in Java even where a kernel could do it.
  private static final long FOLDED_ELEMENTS = 4096;

  /// Whether steps that follow one another become one. NONE is for observers, who want to see every
  /// layer's input, and for tests: results must be equal.
  enum Fusion {
    STEPS,
    NONE
  }

  private final ExecutablePlan plan;
  private final Program program;
  private final GraphUses uses;
  private final boolean fuses;
  private final Map<Node, Attention> attentions;
  private final Map<String, Value> values = new HashMap<>();
  private final MovementSteps movement;
  private final ArithmeticSteps arithmetic;
  private final MatrixSteps matrices;
  private final WeightedSteps weighted;

  private Binder(ExecutablePlan plan, Arena arena, Fusion fusion, Team team) {
    this.plan = plan;
    program = new Program(arena, team);
    uses = new GraphUses(plan.graph());
    fuses = fusion == Fusion.STEPS;
    attentions = fuses ? Attention.in(plan.graph(), uses) : Map.of();
    movement = new MovementSteps(program);
    arithmetic = new ArithmeticSteps(program, movement);
    matrices = new MatrixSteps(program, movement);
    weighted = new WeightedSteps(program);
  }

  /// @param shapes of the graph's inputs, in their order
  /// @param arena owns the bound plan's structs and constants
  /// @param team who runs the bound plan
  /// @param block gives a block of at least so many bytes for activations and scratch
  static BoundPlan bind(
      ExecutablePlan plan,
      List<Shape> shapes,
      Arena arena,
      MemoryPlan.Reuse reuse,
      Fusion fusion,
      Team team,
      LongFunction<MemorySegment> block) {
    Binder binder = new Binder(plan, arena, fusion, team);
    binder.walk(shapes);
    return binder.link(reuse, block);
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
      Attention attention = attentions.get(node);
      if (attention == null) {
        evaluate(node);
      } else if (node.equals(attention.last()) && !attend(attention)) {
        attention.nodes().forEach(this::evaluate);
      }
    }
  }

  /// @return whether the operands lie so that one step can do it
  private boolean attend(Attention attention) {
    program.enter(attention.nodes().getFirst().name());
    Optional<Value> scale = attention.scale().map(values::get);
    Optional<Float> number = scale.flatMap(Binder::number);
    if (scale.isPresent() && number.isEmpty()) {
      return false;
    }
    Optional<Value> result =
        matrices.attention(
            attention,
            values.get(attention.queries()),
            values.get(attention.keys()),
            values.get(attention.values()),
            number,
            attention.mask().map(this::plain));
    result.ifPresent(value -> values.put(attention.last().outputs().getFirst(), value));
    return result.isPresent();
  }

  /// A value that is known to be one float.
  private static Optional<Float> number(Value value) {
    return value instanceof Value.Static(Tensor tensor)
            && tensor.type() == FP32
            && tensor.shape().elements() == 1
        ? Optional.of(tensor.toFloats()[0])
        : Optional.empty();
  }

  private void evaluate(Node node) {
    program.enter(node.name());
    try {
      List<Value> inputs = new ArrayList<>();
      for (int operand = 0; operand < node.inputs().size(); operand++) {
        String name = node.inputs().get(operand);
        inputs.add(readsAsItIs(node, operand) ? values.get(name) : plain(name));
      }
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

  /// Whether an operand may be a value that nothing has computed yet.
  private boolean readsAsItIs(Node node, int operand) {
    return switch (node.op()) {
      case Op.ShapeOf _ -> true;
      case Op.MatMul _ -> !(values.get(node.inputs().get(operand)) instanceof Value.Balanced);
      case Op.Linear _ ->
          operand == 0 && values.get(node.inputs().get(0)) instanceof Value.Balanced;
      case Op _ -> false;
    };
  }

  /// The planes of a layer that reads rows of a value as codes, and nothing else of it.
  private Optional<LayerWeights.Planes> quantizedReader(GraphUses.Use use) {
    return use.operand() == 0
            && use.node().op() instanceof Op.Linear linear
            && !use.node().inputs().stream().skip(1).anyMatch(use.node().inputs().get(0)::equals)
            && plan.weights(linear).orElseThrow() instanceof LayerWeights.Planes planes
        ? Optional.of(planes)
        : Optional.empty();
  }

  /// Whether a node multiplies the columns of its first operand by constants, for quantizers only.
  private boolean isBalance(Node node, List<Value> inputs) {
    return fuses
        && node.op() instanceof Op.Binary(var kind)
        && kind == Op.Binary.Function.MUL
        && inputs.get(1) instanceof Value.Static(Tensor factors)
        && factors.type() == FP32
        && inputs.get(0).type().type() == FP32
        && inputs.get(0) instanceof Value.Computed
        && isRow(factors.shape(), inputs.get(0).shape())
        && !uses.isOutput(node.outputs().getFirst())
        && !uses.of(node.outputs().getFirst()).isEmpty()
        && uses.of(node.outputs().getFirst()).stream()
            .allMatch(use -> quantizedReader(use).isPresent());
  }

  private static boolean isRow(Shape factors, Shape x) {
    return factors.rank() > 0
        && factors.rank() <= x.rank()
        && factors.elements() == factors.dim(-1)
        && factors.dim(-1) == x.dim(-1);
  }

  /// What reads a value that is about to be computed.
  private Readers readers(String value, TensorType type) {
    if (!fuses) {
      return Readers.OF_FLOATS;
    }
    boolean floats = uses.isOutput(value);
    List<Recoding> recodings = new ArrayList<>();
    for (GraphUses.Use use : uses.of(value)) {
      Optional<LayerWeights.Planes> reader = quantizedReader(use);
      if (reader.isPresent()) {
        recodings.add(Recoding.of(reader.get(), Optional.empty()));
      } else if (isBalanceOf(use, type)) {
        Optional<Region> factors =
            Optional.of(program.region(values.get(use.node().inputs().get(1))));
        for (GraphUses.Use behind : uses.of(use.node().outputs().getFirst())) {
          recodings.add(Recoding.of(quantizedReader(behind).orElseThrow(), factors));
        }
      } else {
        floats = true;
      }
    }
    List<Recoding> different = recodings.stream().distinct().toList();
    return different.size() == 1
        ? new Readers(Optional.of(different.getFirst()), floats)
        : Readers.OF_FLOATS;
  }

  private boolean isBalanceOf(GraphUses.Use use, TensorType type) {
    return use.operand() == 0
        && use.node().inputs().size() == 2
        && values.get(use.node().inputs().get(1)) instanceof Value.Static factors
        && isBalance(use.node(), List.of(new Value.Computed(type, new Region.Slot(0)), factors));
  }

  /// A value as a dense tensor, which most operators need.
  private Value plain(String name) {
    Value value = values.get(name);
    if (value instanceof Value.Turned turned) {
      DataType type = turned.type().type();
      Region copy = movement.copy(type, program.region(turned.below()), turned.view());
      value = computed(turned.type(), copy);
      values.put(name, value);
    } else if (value instanceof Value.Balanced balanced) {
      value =
          computed(
              balanced.type(),
              arithmetic.binary(
                  Op.Binary.Function.MUL, balanced.below(), balanced.factors(), value.shape()));
      values.put(name, value);
    }
    return value;
  }

  private BoundPlan link(MemoryPlan.Reuse reuse, LongFunction<MemorySegment> block) {
    for (String name : plan.graph().outputs()) {
      program.enter(name);
      program.keep(program.region(plain(name)), Region.Slot.END);
    }
    Program.Linked linked = program.link(reuse, block);
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
    if (isBalance(node, inputs)) {
      return List.of(new Value.Balanced(inputs.get(0), inputs.get(1)));
    }
    program.makes(types.get(0).shape());
    return List.of(lower(op, weights, inputs, operands, types.get(0), node.outputs().getFirst()));
  }

  /// Folding must not change a result with the batch it is in: what a kernel could do as well is
  /// folded only when that gives the same bits.
  private static boolean isFoldable(Op op, List<Value> inputs, List<TensorType> types) {
    boolean known = inputs.stream().allMatch(Value.Static.class::isInstance);
    long elements = types.stream().mapToLong(type -> type.shape().elements()).sum();
    return known
        && (isHostOnly(op, inputs) || (elements <= FOLDED_ELEMENTS && ConstantFolding.isExact(op)));
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
      TensorType result,
      String name) {
    Value x = inputs.get(0);
    Shape shape = result.shape();
    return switch (op) {
      case Op.Reshape _, Op.Flatten _, Op.Squeeze _, Op.Unsqueeze _ -> alias(x, result);
      case Op.Cast cast when x.type().equals(result) && cast.to() != DataType.BOOL -> x;
      case Op.Unary unary when unary.function().kind() == Activation.Kind.IDENTITY -> x;
      case Op.Slice _ -> view(x, ShapeInference.slice(operands));
      case Op.Transpose transpose -> {
        StridedView turned = StridedView.transpose(x.shape(), transpose.permutation());
        yield isFlat(turned) || isInteger(x) ? view(x, turned) : new Value.Turned(x, turned);
      }
      case Op.Expand _ -> view(x, StridedView.broadcast(x.shape(), shape));
      case Op.Linear linear ->
          computed(
              result,
              weighted.linear(
                  weights.orElseThrow(),
                  linear.activation(),
                  x,
                  second(inputs),
                  readers(name, result)));
      case Op.Conv conv ->
          computed(result, weighted.conv(weights.orElseThrow(), conv, x, shape, second(inputs)));
      case Op.Embedding _ -> computed(result, weighted.embedding(weights.orElseThrow(), x));
      case Op.Concat concat -> computed(result, movement.concat(concat.axis(), inputs, result));
      case Op.Gather gather ->
          computed(result, movement.gather(gather.axis(), x, inputs.get(1), result));
      case Op.MatMul _ -> computed(result, matrices.product(x, inputs.get(1), shape));
      case Op.Softmax softmax -> computed(result, arithmetic.softmax(softmax.axis(), x));
      case Op.LayerNorm norm ->
          computed(
              result,
              weighted.layerNorm(
                  norm.epsilon(), x, inputs.get(1), inputs.get(2), readers(name, result)));
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

  /// Whether transposing moves only axes of size 1 and nothing in memory.
  private static boolean isFlat(StridedView view) {
    return StridedLoop.of(view.shape(), List.of(view.strides())).rank() == 1
        || view.shape().rank() < 2;
  }

  private Value alias(Value x, TensorType type) {
    return computed(type, program.region(x));
  }

  private static Value computed(TensorType type, Region region) {
    return new Value.Computed(type, region);
  }
}
