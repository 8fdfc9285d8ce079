package dev.strata.kernel;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// An instruction set that kernels are built for. Those of x86 include one another in this order.
public enum Isa {
  SCALAR(0),
  /// AVX2 and FMA
  AVX2(1),
  /// AVX-512 F, BW, DQ and VL
  AVX512BW(2),
  /// AVX-512 F, BW, DQ, VL with VNNI, VBMI, VBMI2, GFNI, BITALG and VPOPCNTDQ
  AVX512(3),
  /// The same and AMX tiles of 8-bit integers
  AMX(4),
  /// AArch64 NEON with the dot product extension
  NEON(16);

  /// Environment variable that lowers the instruction set in use; it can't raise it.
  public static final String VARIABLE = "STRATA_ISA";

  private final int code;

  Isa(int code) {
    this.code = code;
  }

  /// The value of `enum strata_isa` in strata.h.
  int code() {
    return code;
  }

  static Isa ofCode(int code) {
    return Arrays.stream(values()).filter(isa -> isa.code == code).findFirst().orElseThrow();
  }

  /// @throws IllegalArgumentException if the text names no instruction set
  public static Isa parse(String text) {
    return Arrays.stream(values())
        .filter(isa -> isa.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: got \"%s\", expected one of %s"
                        .formatted(
                            VARIABLE,
                            text,
                            Arrays.stream(values())
                                .map(Isa::toString)
                                .collect(Collectors.joining(", ")))));
  }

  /// The instruction set to use: the best the machine has, or the lower one that is wished for. A
  /// wish for one that the machine lacks changes nothing.
  ///
  /// @param wish the value of [#VARIABLE], absent or blank if unset
  static Isa choose(Isa probed, Optional<String> wish) {
    return wish.filter(text -> !text.isBlank())
        .map(text -> parse(text.strip()))
        .filter(probed.included()::contains)
        .orElse(probed);
  }

  /// This instruction set and all it includes, scalar first.
  public List<Isa> included() {
    return this == NEON ? List.of(SCALAR, NEON) : List.copyOf(EnumSet.range(SCALAR, this));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
