package dev.strata.plan;

import dev.strata.graph.Operand;
import dev.strata.graph.Shape;
import dev.strata.graph.StridedView;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorType;

/// A value of the graph while a plan is bound to shapes.
sealed interface Value {
  TensorType type();

  /// What shape inference may know of it.
  Operand operand();

  default Shape shape() {
    return type().shape();
  }

  default long elements() {
    return shape().elements();
  }

  /// Follows from constants and shapes; its elements are known before the plan runs.
  record Static(Tensor tensor) implements Value {
    @Override
    public TensorType type() {
      return new TensorType(tensor.type(), tensor.shape());
    }

    @Override
    public Operand operand() {
      return Operand.of(tensor);
    }
  }

  /// Computed by a step, or an input of the graph. Several values may share a region: a reshaped
  /// tensor is the same bytes.
  record Computed(TensorType type, Region region) implements Value {
    @Override
    public Operand operand() {
      return Operand.of(type);
    }
  }

  /// A transposed value that nothing has copied yet.
  record Turned(Value below, StridedView view) implements Value {
    @Override
    public TensorType type() {
      return new TensorType(below.type().type(), view.shape());
    }

    @Override
    public Operand operand() {
      return Operand.of(type());
    }
  }

  /// A value times one factor for each column, which only quantizers read: they multiply.
  ///
  /// @param factors one float for each index of the last axis
  record Balanced(Value below, Value factors) implements Value {
    @Override
    public TensorType type() {
      return below.type();
    }

    @Override
    public Operand operand() {
      return Operand.of(type());
    }
  }
}
