package dev.strata.plan;

import dev.strata.kernel.Structs;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// How rows of floats become the codes of a product: times `balance`, then by the quantizer of the
/// layer that reads them. Layers that recode the same rows alike share the codes.
///
/// @param by PerGroup or PerTensor
/// @param width floats of a row
/// @param columns codes of a row: the width padded to whole groups
/// @param group columns that share a sum and a scale
/// @param balance factors of the columns; absent: none
record Recoding(
    ActivationQuantizer by, long width, long columns, long group, Optional<Region> balance) {

  static Recoding of(LayerWeights.Planes reader, Optional<Region> balance) {
    PlaneLayout layout = reader.layer().layout();
    return new Recoding(
        reader.input(), layout.columns(), layout.paddedColumns(), layout.groupSize(), balance);
  }

  long groups() {
    return columns / group;
  }

  /// The range and scale of codes that are known beforehand; absent where they follow from values.
  Optional<Structs.StaticCodes> staticCodes() {
    return switch (by) {
      case ActivationQuantizer.PerTensor tensor -> Optional.of(staticCodes(tensor));
      case ActivationQuantizer.PerGroup _ -> Optional.empty();
      case ActivationQuantizer.PerSample _, ActivationQuantizer.PerChannel _ -> throw unfit();
    };
  }

  IllegalArgumentException unfit() {
    return new IllegalArgumentException("rows: got input quantizer %s".formatted(by));
  }

  /// Codes of 8 bits are signed, narrower ones are not.
  static Structs.StaticCodes staticCodes(ActivationQuantizer.PerTensor tensor) {
    long low = tensor.bits() == Bits.MAX ? Byte.MIN_VALUE : 0;
    return new Structs.StaticCodes(
        1 / tensor.scale(), tensor.zeroPoint(), low, low + (1L << tensor.bits()) - 1);
  }

  /// Writes the struct for the columns from `first` on, where a group begins.
  MemorySegment write(MemorySegment at, Program.Memory memory, Codes codes, long first) {
    long group = first / this.group;
    boolean dynamic = staticCodes().isEmpty();
    Structs.requantize(
        at,
        balance.map(of -> memory.at(of, first * Float.BYTES)).orElse(MemorySegment.NULL),
        columns,
        this.group,
        staticCodes(),
        memory.at(codes.codes(), first),
        memory.at(codes.sums(), group * Integer.BYTES),
        dynamic ? memory.at(codes.scale(), group * Float.BYTES) : MemorySegment.NULL);
    return at;
  }
}
