package dev.strata.gateway.call;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class TopClassesTest {

  private static final Tensor SCORES =
      Tensor.of(Shape.of(2, 3), new float[] {0.25f, -1, 2, 7, Float.NaN, 7});

  @Test
  void theHighestOfEachRowComeFirstAndNotANumberLast() {
    Tensor found = TopClasses.of(SCORES, 2, List.of("shoe", "coat", "bag"));
    assertEquals(Shape.of(2, 2), found.shape());
    assertEquals(
        List.of("2.000000:2:bag", "0.250000:0:shoe", "7.000000:0:shoe", "7.000000:2:bag"),
        texts(found));
  }

  @Test
  void thereAreNoMoreThanTheModelHasAndNoLabelsThatAreNotOfThem() {
    Tensor found = TopClasses.of(SCORES, 9, List.of("one"));
    assertEquals(Shape.of(2, 3), found.shape());
    assertEquals(List.of("2.000000:2", "0.250000:0", "-1.000000:1"), texts(found).subList(0, 3));
    assertEquals("NaN:1", texts(found).getLast());
  }

  private static List<String> texts(Tensor tensor) {
    return tensor.toByteArrays().stream()
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
        .toList();
  }
}
