package dev.strata.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Operators on host tensors, by examples from their definitions.
class ConstantFoldingTest {
  private static final Tensor GRID = Tensor.of(Shape.of(2, 3), new long[] {1, 2, 3, 4, 5, 6});

  @Test
  void viewsReadTheirElementsInOrder() {
    assertLongs(new Op.Transpose(List.of(1, 0)), List.of(GRID), Shape.of(3, 2), 1, 4, 2, 5, 3, 6);
    assertLongs(
        new Op.Slice(),
        List.of(GRID, longs(-1), longs(Long.MIN_VALUE), longs(1), longs(-2)),
        Shape.of(2, 2),
        3,
        1,
        6,
        4);
    assertLongs(
        new Op.Slice(), List.of(GRID, longs(1), longs(Long.MAX_VALUE)), Shape.of(1, 3), 4, 5, 6);
    assertLongs(new Op.Expand(), List.of(longs(7), longs(2, 2)), Shape.of(2, 2), 7, 7, 7, 7);
  }

  @Test
  void shapeArithmeticStaysInIntegers() {
    Tensor shape = ConstantFolding.shapeOf(Shape.of(2, 128, 384));
    Tensor last = evaluate(new Op.Gather(0), List.of(shape, longs(-1)));
    assertArrayEquals(new long[] {384}, last.toLongs());
    assertLongs(new Op.Binary(Op.Binary.Function.DIV), List.of(last, longs(-5)), Shape.of(1), -76);
    assertLongs(
        new Op.Binary(Op.Binary.Function.MOD), List.of(longs(-7), longs(3)), Shape.of(1), 2);
    assertLongs(
        new Op.Reduce(Op.Reduce.Reduction.PROD, List.of(), false),
        List.of(shape),
        Shape.of(),
        2 * 128 * 384);
    assertLongs(new Op.Concat(0), List.of(longs(1), longs(2, 3)), Shape.of(3), 1, 2, 3);
  }

  @Test
  void reshapeCopiesAndInfersSizes() {
    Tensor x = Tensor.of(Shape.of(2, 3, 4), new float[24]);
    assertEquals(
        Shape.of(2, 6, 2), evaluate(new Op.Reshape(false), List.of(x, longs(0, -1, 2))).shape());
    var failure =
        assertThrows(
            IllegalArgumentException.class,
            () -> evaluate(new Op.Reshape(false), List.of(x, longs(5, -1))));
    assertTrue(failure.getMessage().contains("[2, 3, 4]"), failure::getMessage);
    Tensor none = Tensor.of(Shape.of(0, 3), new float[0]);
    assertEquals(
        Shape.of(0, 3), evaluate(new Op.Reshape(true), List.of(none, longs(0, 3))).shape());
  }

  @Test
  void paddingRepeatsReflectsOrFills() {
    Tensor row = longs(1, 2, 3);
    assertLongs(
        new Op.Pad(Op.Pad.Filling.REFLECT, 0),
        List.of(row, longs(2, 2)),
        Shape.of(7),
        3,
        2,
        1,
        2,
        3,
        2,
        1);
    assertLongs(
        new Op.Pad(Op.Pad.Filling.EDGE, 0), List.of(row, longs(1, 1)), Shape.of(5), 1, 1, 2, 3, 3);
    assertLongs(
        new Op.Pad(Op.Pad.Filling.CONSTANT, 9), List.of(row, longs(1, -1)), Shape.of(3), 9, 1, 2);
  }

  @Test
  void rangesAndFillsTakeTheirTypeFromTheirBounds() {
    assertLongs(new Op.Range(), List.of(scalar(10), scalar(3), scalar(-3)), Shape.of(3), 10, 7, 4);
    Tensor filled = evaluate(new Op.ConstantOfShape(DataType.FP32, 0.5), List.of(longs(2, 2)));
    assertArrayEquals(new float[] {0.5f, 0.5f, 0.5f, 0.5f}, filled.toFloats());
  }

  @Test
  void operatorsThatOnlyRunNativelyAreLeftAlone() {
    Tensor x = Tensor.of(Shape.of(2, 2), new float[4]);
    assertEquals(Optional.empty(), ConstantFolding.evaluate(new Op.MatMul(), List.of(x, x)));
    assertEquals(Optional.empty(), ConstantFolding.evaluate(new Op.Softmax(-1), List.of(x)));
  }

  @Test
  void divisionByZeroIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> evaluate(new Op.Binary(Op.Binary.Function.DIV), List.of(longs(1), longs(0))));
  }

  private static Tensor evaluate(Op op, List<Tensor> inputs) {
    return ConstantFolding.evaluate(op, inputs).orElseThrow().get(0);
  }

  private static Tensor longs(long... values) {
    return Tensor.of(Shape.of(values.length), values);
  }

  private static Tensor scalar(long value) {
    return Tensor.of(Shape.of(), new long[] {value});
  }

  private static void assertLongs(Op op, List<Tensor> inputs, Shape shape, long... expected) {
    Tensor y = evaluate(op, inputs);
    assertEquals(shape, y.shape());
    assertArrayEquals(expected, y.toLongs());
  }
}
