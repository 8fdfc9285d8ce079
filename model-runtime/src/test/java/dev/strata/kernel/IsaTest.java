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
    assertEquals(Isa.AVX512BW, Isa.choose(Isa.AVX512BW, Optional.of("avx512")));
  }

  @Test
  void aWishForAnotherArchitectureChangesNothing() {
    assertEquals(Isa.AVX512, Isa.choose(Isa.AVX512, Optional.of("neon")));
    assertEquals(Isa.NEON, Isa.choose(Isa.NEON, Optional.of("avx2")));
    assertEquals(Isa.SCALAR, Isa.choose(Isa.NEON, Optional.of("scalar")));
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
        "STRATA_ISA: got \"sse9\", expected one of scalar, avx2, avx512bw, avx512, amx, neon",
        failure.getMessage());
  }

  @Test
  void theLibraryUsesWhatItIsToldUpToTheMachine() {
    NativeLibrary library = NativeLibrary.loaded();
    assertEquals(Isa.SCALAR, library.use(Isa.SCALAR));
    assertEquals(library.probed(), library.use(Isa.AMX));
    assertEquals(library.chosen(), library.use(library.chosen()));
  }

  @Test
  void theLibraryIsFoundByOperatingSystemAndArchitecture() {
    assertEquals("/native/linux-x86_64/libstrata.so", NativeLibrary.resource("Linux", "amd64"));
    assertEquals("/native/linux-aarch64/libstrata.so", NativeLibrary.resource("Linux", "aarch64"));
  }

  @Test
  void anInstructionSetIncludesTheOnesBelow() {
    assertEquals(List.of(Isa.SCALAR, Isa.AVX2), Isa.AVX2.included());
    assertEquals(List.of(Isa.SCALAR, Isa.NEON), Isa.NEON.included());
    assertTrue(Isa.SCALAR.included().contains(Isa.SCALAR));
  }
}
