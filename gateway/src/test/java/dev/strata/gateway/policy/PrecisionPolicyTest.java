package dev.strata.gateway.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.Precision;
import dev.strata.precision.Bits;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrecisionPolicyTest {

  private static final List<Bits> UP_TO_FOUR =
      List.of(new Bits(1), new Bits(2), new Bits(3), new Bits(4));

  @Test
  void anExactWishIsServedExactly() {
    for (Bits bits : UP_TO_FOUR) {
      assertEquals(bits, choose(new Precision.Exactly(bits)));
    }
  }

  @Test
  void aWidthThatTheModelLacksIsRefusedAndNeverReplaced() {
    InferenceException refused =
        assertThrows(InferenceException.class, () -> choose(new Precision.Exactly(new Bits(5))));
    assertEquals(ErrorCode.PRECISION_UNAVAILABLE, refused.code());
    assertEquals("bits: got 5, expected one of [1, 2, 3, 4]", refused.getMessage());
  }

  @Test
  void whoNamesNothingGetsTheModelsDefault() {
    assertEquals(new Bits(3), choose(new Precision.ModelDefault()));
  }

  private static Bits choose(Precision wanted) {
    return PrecisionPolicy.choose(wanted, UP_TO_FOUR, new Bits(3));
  }
}
