package dev.strata.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.MemoryTensors;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A code's weight at each width, against numbers worked out by hand.
final class CascadeViewTest {
  private static final String LAYER = "layer";

  /// Two submatrices of 3 rows, 40 columns in two groups.
  private final PlaneLayout layout = new PlaneLayout(6, 40, 32, 2);

  @Test
  void aWeightIsTheCentreOfItsBin() {
    try (MemoryTensors tensors = tensorsOfCode(0b1011_0110)) {
      // Row 4 is row 1 of the second submatrix, so padded row 17; column 33 is in group 1.
      // ns = 10, nb = -3, scale = 0.25, offset = 2: step 5 (twice 2.5), middle -6.
      assertEquals(17, layout.paddedRow(4));
      assertEquals(-6 + 2.5f * 128, weight(tensors, 1), "bin 128..255 of 0..255");
      assertEquals(-6 + 2.5f * 64, weight(tensors, 2), "bin 128..191");
      assertEquals(-6 + 2.5f * 96, weight(tensors, 3), "bin 160..191");
      assertEquals(-6 + 2.5f * 112, weight(tensors, 4), "bin 176..191");
      assertEquals(-6 + 2.5f * 109, weight(tensors, 8), "code 182");
    }
  }

  @Test
  void tablesAreIndexedByPaddedRow() {
    try (MemoryTensors tensors = tensorsOfCode(0)) {
      CascadeView view = CascadeView.of(LAYER, layout, new Bits(2), tensors::get);
      assertEquals(7, view.bias(4));
      assertEquals(0, view.bias(1));
      assertEquals(new Bits(2), view.bits());
    }
  }

  @Test
  void aMissingOrWrongTensorIsNamed() {
    try (MemoryTensors tensors = tensorsOfCode(0)) {
      tensors.put("layer.table.3", new float[5]);
      IllegalArgumentException failure =
          assertThrows(
              IllegalArgumentException.class,
              () -> CascadeView.of(LAYER, layout, new Bits(3), tensors::get));
      assertTrue(failure.getMessage().contains("layer.table.3"), failure.getMessage());
      failure =
          assertThrows(
              IllegalArgumentException.class,
              () -> CascadeView.of("other", layout, new Bits(3), tensors::get));
      assertTrue(failure.getMessage().contains("other.table.3"), failure.getMessage());
    }
  }

  private float weight(MemoryTensors tensors, int bits) {
    return CascadeView.of(LAYER, layout, new Bits(bits), tensors::get).weight(4, 33);
  }

  /// Every weight has this code. Only row 4 and group 1 have scales, so a wrong index gives zero.
  private MemoryTensors tensorsOfCode(int code) {
    byte[] codes = new byte[layout.rows() * layout.columns()];
    Arrays.fill(codes, (byte) code);
    byte[] groups = new byte[Math.toIntExact(layout.groupTableBytes())];
    int panel = 1;
    int at = (panel * layout.groups() + 1) * 2 * PlaneLayout.PANEL_ROWS + 1;
    groups[at] = 10;
    groups[at + PlaneLayout.PANEL_ROWS] = -3;
    float[] table = new float[3 * layout.paddedRows()];
    table[17] = 0.25f;
    table[layout.paddedRows() + 17] = 2;
    table[2 * layout.paddedRows() + 17] = 7;
    MemoryTensors tensors = new MemoryTensors();
    List<byte[]> planes = PlaneCodec.encode(codes, layout);
    for (Bits bits : Bits.all()) {
      tensors.put(PlaneNames.plane(LAYER, bits.count() - 1), planes.get(bits.count() - 1));
      tensors.put(PlaneNames.table(LAYER, bits), table);
    }
    tensors.put(PlaneNames.groups(LAYER), groups);
    return tensors;
  }
}
