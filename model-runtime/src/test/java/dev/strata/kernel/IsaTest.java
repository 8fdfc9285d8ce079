package dev.strata.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class IsaTest {

  @Test
  void aWishLowersTheInstructionSet() {
    assertEquals(Isa.SCALAR, Isa.choose(Isa.AVX512, Optional.of("scalar")));
    assertEquals(Isa.AVX2, Isa.choose(Isa.AVX512, Optional.of(" avx2 ")));
  }

  @Test
  void aWishCantRaiseTheInstructionSet() {
    assertEquals(Isa.SCALAR, Isa.choose(Isa.SCALAR, Optional.of("avx512")));
  }

  @Test
  void withoutAWishTheBestIsUsed() {
    assertEquals(Isa.AVX2, Isa.choose(Isa.AVX2, Optional.empty()));
    assertEquals(Isa.AVX2, Isa.choose(Isa.AVX2, Optional.of("")));
  }

  @Test
  void anUnknownWishIsNamedWithTheKnownOnes() {
    var failure =
        assertThrows(
            IllegalArgumentException.class, () -> Isa.choose(Isa.AVX2, Optional.of("sse9")));
    assertEquals(
        "STRATA_ISA: got \"sse9\", expected one of scalar, avx2, avx512", failure.getMessage());
  }

  @Test
  void theLibraryUsesWhatItIsToldUpToTheMachine() {
    NativeLibrary library = NativeLibrary.loaded();
    assertEquals(Isa.SCALAR, library.use(Isa.SCALAR));
    assertEquals(library.probed(), library.use(Isa.AVX512));
    assertEquals(library.chosen(), library.use(library.chosen()));
  }

  @Test
  void anInstructionSetIncludesTheOnesBelow() {
    assertEquals(List.of(Isa.SCALAR, Isa.AVX2), Isa.AVX2.included());
    assertTrue(Isa.SCALAR.included().contains(Isa.SCALAR));
  }
}
