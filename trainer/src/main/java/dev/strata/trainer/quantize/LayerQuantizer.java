package dev.strata.trainer.quantize;

import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Turns one float layer into planes, groups and one table per width.
final class LayerQuantizer {
  private final Layer layer;
  private final float[] weights;
  private final float[] bias;
  private final Optional<InputStatistics> inputs;
  private final LayeredMatrix matrix;
  private final RowFit[][] fits;

  private LayerQuantizer(
      Layer layer,
      float[] weights,
      float[] bias,
      Optional<InputStatistics> inputs,
      LayeredMatrix matrix,
      RowFit[][] fits) {
    this.layer = layer;
    this.weights = weights;
    this.bias = bias;
    this.inputs = inputs;
    this.matrix = matrix;
    this.fits = fits;
  }

  /// Chooses codes and fits.
  ///
  /// @param layer the layer as it shall be stored
  /// @param weights `[rows][columns]`
  /// @param bias `[rows]`
  /// @param widths the plane counts that some profile reads
  static LayerQuantizer of(
      Layer layer,
      float[] weights,
      float[] bias,
      Optional<InputStatistics> inputs,
      Set<Bits> widths,
      QuantizationSettings settings) {
    GroupGrid grid = GroupGrid.fit(weights, layer.layout());
    LayeredMatrix nearest = new LayeredMatrix(grid, grid.nearestCodes(weights));
    RowFitting fitting = new RowFitting(weights, inputs);
    Optional<List<SymmetricMatrix>> covariances = inputs.flatMap(InputStatistics::covariances);
    boolean narrow = widths.contains(settings.nativeBits());
    if (!settings.errorCompensation() || covariances.isEmpty() || !narrow) {
      RowFit[][] fits = fitting.fit(nearest, widths);
      return new LayerQuantizer(layer, weights, bias, inputs, nearest, fits);
    }
    RowFit[][] plainFits = new RowFitting(weights, Optional.empty()).fit(nearest, widths);
    byte[] codes = new byte[weights.length];
    int parts = covariances.get().size();
    int rows = layer.layout().rows() / parts;
    for (int part = 0; part < parts; part++) {
      ErrorCompensation.of(covariances.get().get(part), settings.nativeBits(), settings.tuning())
          .compensate(weights, grid, plainFits, part * rows, (part + 1) * rows, codes);
    }
    LayeredMatrix compensated = new LayeredMatrix(grid, codes);
    return new LayerQuantizer(
        layer, weights, bias, inputs, compensated, fitting.fit(compensated, widths));
  }

  Layer layer() {
    return layer;
  }

  /// The weights of one row at a width.
  void decode(int row, Bits width, float[] into) {
    matrix.decode(row, width.count(), fits[row][width.count() - 1], into);
  }

  /// `sum_j (w - w_b)_j * E[x_j]` added to the bias: the mean of the layer's output stays.
  ///
  /// @return `[rows]`
  float[] correctedBias(Bits width) {
    float[] corrected = bias.clone();
    if (inputs.isPresent()) {
      addMeanOutput(corrected, weights, inputs.get(), 1);
      addMeanOutput(corrected, width, inputs.get(), -1);
    }
    return corrected;
  }

  /// @param wanted the input in the float network
  /// @param seen the input in the layered network at this width
  /// @return `bias + sum_j w_j * E_wanted[x_j] - sum_j (w_b)_j * E_seen[x_j]`
  float[] matchedBias(Bits width, InputStatistics wanted, InputStatistics seen) {
    float[] matched = bias.clone();
    addMeanOutput(matched, weights, wanted, 1);
    addMeanOutput(matched, width, seen, -1);
    return matched;
  }

  private void addMeanOutput(float[] sums, Bits width, InputStatistics means, int sign) {
    PlaneLayout layout = layer.layout();
    float[] decoded = new float[weights.length];
    float[] row = new float[layout.columns()];
    for (int r = 0; r < layout.rows(); r++) {
      decode(r, width, row);
      System.arraycopy(row, 0, decoded, r * row.length, row.length);
    }
    addMeanOutput(sums, decoded, means, sign);
  }

  private static void addMeanOutput(
      float[] sums, float[] weights, InputStatistics means, int sign) {
    int columns = weights.length / sums.length;
    for (int row = 0; row < sums.length; row++) {
      double[] mean = means.meansOf(row, sums.length);
      double sum = 0;
      for (int column = 0; column < columns; column++) {
        sum += weights[row * columns + column] * mean[column];
      }
      sums[row] += (float) (sign * sum);
    }
  }

  /// The artifact's table of a width: `[3][paddedRows]`, scale, offset, bias.
  float[] table(Bits width, float[] widthBias) {
    PlaneLayout layout = layer.layout();
    int padded = layout.paddedRows();
    float[] table = new float[3 * padded];
    for (int row = 0; row < layout.rows(); row++) {
      RowFit fit = fits[row][width.count() - 1];
      int at = layout.paddedRow(row);
      table[at] = (float) (matrix.grid().stepUnit(row) * fit.gamma() / 2);
      table[padded + at] = (float) (matrix.grid().offsetUnit(row) * fit.zeta());
      table[2 * padded + at] = widthBias[row];
    }
    return table;
  }

  /// Stores planes and groups.
  void putWeights(MemoryTensors tensors) {
    List<byte[]> planes = matrix.planes();
    for (int plane = 0; plane < planes.size(); plane++) {
      tensors.put(PlaneNames.plane(layer.name(), plane), planes.get(plane));
    }
    tensors.put(PlaneNames.groups(layer.name()), matrix.grid().table());
  }

  void putTable(MemoryTensors tensors, Bits width, float[] widthBias) {
    tensors.put(PlaneNames.table(layer.name(), width), table(width, widthBias));
  }
}
