package dev.strata.trainer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpzTest {
  @TempDir Path folder;

  @Test
  void arraysComeBackAsTheyWere() throws IOException {
    Tensor floats = Tensor.of(Shape.of(2, 3), new float[] {1, -2, 3.5f, Float.NaN, 0, 1e-30f});
    Tensor longs = Tensor.of(Shape.of(4), new long[] {1, -1, Long.MIN_VALUE, 7});
    Tensor scalar = Tensor.of(Shape.of(), new float[] {42});
    Path file = folder.resolve("a.npz");
    Npz.write(file, Map.of("x", floats, "ids", longs, "s", scalar));
    Map<String, Tensor> read = Npz.read(file);
    assertEquals(floats.shape(), read.get("x").shape());
    assertArrayEquals(floats.toFloats(), read.get("x").toFloats());
    assertArrayEquals(longs.toLongs(), read.get("ids").toLongs());
    assertEquals(42, read.get("s").toFloats()[0]);
  }

  @Test
  void narrowAndWideTypesBecomeTheGraphsTypes() throws IOException {
    assertArrayEquals(new float[] {0.5f, -2}, array("<f8", "(2,)", doubles(0.5, -2)).toFloats());
    assertArrayEquals(
        new long[] {5, -6},
        array("<i4", "(1, 2)", new byte[] {5, 0, 0, 0, -6, -1, -1, -1}).toLongs());
    assertArrayEquals(new long[] {200}, array("|u1", "(1,)", new byte[] {(byte) 200}).toLongs());
    assertEquals(DataType.INT64, array("|b1", "(1,)", new byte[] {1}).type());
  }

  @Test
  void whatCannotBeReadIsNamed() {
    IOException type = assertThrows(IOException.class, () -> array("<c8", "(1,)", new byte[8]));
    assertTrue(type.getMessage().contains("'a': got type <c8"), type.getMessage());
    IOException size = assertThrows(IOException.class, () -> array("<f4", "(3,)", new byte[8]));
    assertTrue(size.getMessage().contains("got 8 bytes, expected 12"), size.getMessage());
  }

  @Test
  void idxIsReadPlainAndGzipped() throws IOException {
    byte[] plain = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, (byte) 250};
    ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(gzipped)) {
      out.write(plain);
    }
    for (byte[] file : new byte[][] {plain, gzipped.toByteArray()}) {
      Idx idx = Idx.read(new ByteArrayInputStream(file), "test");
      assertEquals(2, idx.samples());
      assertEquals(250, idx.value(1, 2));
    }
    byte[] cut = java.util.Arrays.copyOf(plain, plain.length - 1);
    assertThrows(IOException.class, () -> Idx.read(new ByteArrayInputStream(cut), "test"));
  }

  /// One array as NumPy writes it.
  private Tensor array(String type, String shape, byte[] data) throws IOException {
    String header =
        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n".formatted(type, shape);
    Path file = Files.createTempFile(folder, "numpy", ".npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("a.npy"));
      zip.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
      zip.write(new byte[] {(byte) header.length(), 0});
      zip.write(header.getBytes(StandardCharsets.US_ASCII));
      zip.write(data);
    }
    return Npz.read(file).get("a");
  }

  private static byte[] doubles(double... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return bytes.array();
  }
}
