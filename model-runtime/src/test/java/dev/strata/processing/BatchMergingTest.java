package dev.strata.processing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BatchMergingTest {

  private static final PreparedBatch TWO_OF_THREE = tokens(2, 3);
  private static final PreparedBatch ONE_OF_FIVE = tokens(1, 5);
  private static final PreparedBatch ONE_OF_THREE = tokens(1, 3);
  private static final List<List<PreparedBatch>> CALLS =
      List.of(List.of(TWO_OF_THREE), List.of(ONE_OF_FIVE), List.of(ONE_OF_THREE));

  @Test
  void equalLengthsGoTogether() {
    List<MergedBatch> merged = new BatchMerging(true, true).merge(CALLS, false);
    assertEquals(2, merged.size());
    assertEquals(Shape.of(3, 3), merged.getFirst().graphInputs().get("ids").shape());
    assertArrayEquals(
        new long[] {1, 2, 3, 4, 5, 6, 1, 2, 3},
        merged.getFirst().graphInputs().get("ids").toLongs());
    assertSame(ONE_OF_FIVE.graphInputs(), merged.getLast().graphInputs(), "alone, not copied");
  }

  @Test
  void maskedTextsArePaddedToTheLongest() {
    List<MergedBatch> merged = new BatchMerging(true, true).merge(CALLS, true);
    assertEquals(1, merged.size());
    assertArrayEquals(
        new long[] {1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 1, 2, 3, 4, 5, 1, 2, 3, 0, 0},
        merged.getFirst().graphInputs().get("ids").toLongs());
    assertEquals(
        Shape.of(2, 5),
        merged.getFirst().parts().getFirst().prepared().graphInputs().get("ids").shape());
  }

  @Test
  void whatMustNotBePaddedIsNot() {
    assertEquals(2, new BatchMerging(true, false).merge(CALLS, true).size());
  }

  @Test
  void aGraphOfAFixedBatchRunsEachAlone() {
    assertEquals(3, new BatchMerging(false, false).merge(CALLS, true).size());
  }

  @Test
  void everyPartGetsItsRowsBack() {
    MergedBatch merged = new BatchMerging(true, false).merge(CALLS, false).getFirst();
    Tensor output = Tensor.of(Shape.of(3, 2), new float[] {1, 2, 3, 4, 5, 6});
    List<Map<String, Tensor>> split = merged.split(Map.of("y", output));
    assertArrayEquals(new float[] {1, 2, 3, 4}, split.get(0).get("y").toFloats());
    assertArrayEquals(new float[] {5, 6}, split.get(1).get("y").toFloats());
    assertEquals(Shape.of(1, 2), split.get(1).get("y").shape());
  }

  private static PreparedBatch tokens(int rows, int length) {
    long[] ids = LongStream.rangeClosed(1, (long) rows * length).toArray();
    return new PreparedBatch(
        Map.of("ids", Tensor.of(Shape.of(rows, length), ids)), List.of(0, 1).subList(0, rows));
  }
}
