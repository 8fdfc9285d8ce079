package dev.strata.trainer.quantize;

import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneNames;
import java.util.Optional;
import java.util.Set;

/// One layer's float weights as the artifact will hold them: codes whose prefixes serve every
/// width, with a scale per row and width. Training decodes from it what it runs, so that what is
/// trained is what is served. Data-free: docs/precision.md, section 3.
public final class CascadeWeights {
  private final LayerQuantizer quantizer;
  private final float[] weights;

  private CascadeWeights(LayerQuantizer quantizer, float[] weights) {
    this.quantizer = quantizer;
    this.weights = weights;
  }

  /// @param layer in planes
  /// @param weights `[rows][columns]`, borrowed while this object lives
  /// @param widths the plane counts that may be asked for
  public static CascadeWeights of(Layer layer, float[] weights, Set<Bits> widths) {
    return new CascadeWeights(
        LayerQuantizer.of(
            layer,
            weights,
            new float[layer.layout().rows()],
            Optional.empty(),
            widths,
            QuantizationSettings.defaults()),
        weights);
  }

  /// The weights at a width.
  ///
  /// @return `[rows][columns]`
  public float[] decode(Bits width) {
    int rows = quantizer.layer().layout().rows();
    int columns = quantizer.layer().layout().columns();
    float[] decoded = new float[weights.length];
    float[] row = new float[columns];
    for (int r = 0; r < rows; r++) {
      quantizer.decode(r, width, row);
      System.arraycopy(row, 0, decoded, r * columns, columns);
    }
    return decoded;
  }

  /// Stores planes and groups under the artifact's names.
  public void putPlanes(MemoryTensors tensors) {
    quantizer.putWeights(tensors);
  }

  /// Stores the table of a width, the layer's output being `factor * (W x) + bias` row by row.
  ///
  /// @param factor `[rows]`, of any sign
  /// @param bias `[rows]`
  public void putTable(MemoryTensors tensors, Bits width, float[] factor, float[] bias) {
    float[] table = quantizer.table(width, bias);
    int padded = quantizer.layer().layout().paddedRows();
    for (int row = 0; row < factor.length; row++) {
      int at = quantizer.layer().layout().paddedRow(row);
      table[at] *= factor[row];
      table[padded + at] *= factor[row];
    }
    tensors.put(PlaneNames.table(quantizer.layer().name(), width), table);
  }
}
