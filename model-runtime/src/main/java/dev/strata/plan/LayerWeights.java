package dev.strata.plan;

import dev.strata.graph.Layer;
import dev.strata.kernel.Structs;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// The weights of a layer as kernels take them. Biases are `[paddedRows]` floats, zero where the
/// layer has none.
sealed interface LayerWeights {
  Layer layer();

  MemorySegment bias();

  /// The bias of one group of a grouped convolution.
  default MemorySegment bias(int submatrix) {
    long rows = (long) layer().layout().submatrixPanels() * PlaneLayout.PANEL_ROWS;
    return bias().asSlice(submatrix * rows * Float.BYTES, rows * Float.BYTES);
  }

  /// @param weight FP32 `[rows][columns]`
  record Floats(Layer layer, MemorySegment weight, MemorySegment bias) implements LayerWeights {}

  /// @param planes how many planes are read
  /// @param input how the layer's input becomes codes
  /// @param structs one `strata_weights` for each submatrix; with channels of their own, the
  ///     channels' scales are in its rows' scales and offsets
  /// @param channels how each channel of the input becomes codes, if not all alike
  record Planes(
      Layer layer,
      Bits planes,
      ActivationQuantizer input,
      MemorySegment structs,
      MemorySegment bias,
      Optional<Channels> channels)
      implements LayerWeights {

    /// @param inverseScale FP32 `[channels]`
    /// @param zeroPoint signed bytes, `[channels]`
    record Channels(MemorySegment inverseScale, MemorySegment zeroPoint) {}

    /// Widest product of weight and activation bits that the bit-serial kernels win.
    private static final int BITSERIAL_PRODUCT = 4;

    MemorySegment struct(int submatrix) {
      return structs.asSlice(submatrix * Structs.weightsBytes(), Structs.weightsBytes());
    }

    int activationBits() {
      return switch (input) {
        case ActivationQuantizer.PerChannel _ -> Bits.MAX;
        case ActivationQuantizer.PerGroup _, ActivationQuantizer.PerSample _ -> Bits.MAX;
        case ActivationQuantizer.PerTensor tensor -> tensor.bits();
      };
    }

    /// Whether activations become bit-planes too.
    boolean bitSerial() {
      return layer().kind() != Layer.Kind.DEPTHWISE
          && activationBits() * planes.count() <= BITSERIAL_PRODUCT;
    }
  }
}
