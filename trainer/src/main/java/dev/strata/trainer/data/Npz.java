package dev.strata.trainer.data;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// NumPy's `.npz`: a zip of `.npy` arrays. Floating types become FP32 and integer types and bool
/// INT64, the two types that graphs compute with. Little-endian, C order.
public final class Npz {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int ALIGNMENT = 64;
  private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([^)]*)\\)");

  private Npz() {}

  /// @return arrays by name, in file order
  /// @throws IOException if the file is unreadable or holds anything but supported arrays
  public static Map<String, Tensor> read(Path path) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      Map<String, Tensor> arrays = read(in);
      if (arrays.isEmpty()) {
        throw new IOException(path + ": not an .npz file, or without arrays");
      }
      return arrays;
    }
  }

  public static Map<String, Tensor> read(InputStream in) throws IOException {
    Map<String, Tensor> arrays = new LinkedHashMap<>();
    ZipInputStream zip = new ZipInputStream(in);
    for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
      String name = entry.getName().replaceFirst("\\.npy$", "");
      arrays.put(name, parse(name, ByteBuffer.wrap(zip.readAllBytes())));
    }
    return arrays;
  }

  /// Writes FP32 and INT64 tensors.
  public static void write(Path path, Map<String, Tensor> arrays) throws IOException {
    try (OutputStream out = Files.newOutputStream(path);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, Tensor> array : arrays.entrySet()) {
        zip.putNextEntry(new ZipEntry(array.getKey() + ".npy"));
        zip.write(header(array.getKey(), array.getValue()));
        zip.write(array.getValue().data().toArray(ValueLayout.JAVA_BYTE));
        zip.closeEntry();
      }
    }
  }

  private static byte[] header(String name, Tensor tensor) {
    String type =
        switch (tensor.type()) {
          case FP32 -> "<f4";
          case INT64 -> "<i8";
          case BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, FP16, BF16, FP64, BYTES ->
              throw new IllegalArgumentException(
                  "array '%s': got %s, expected FP32 or INT64".formatted(name, tensor.type()));
        };
    String shape =
        tensor.shape().dims().stream().map(dim -> dim + ",").collect(Collectors.joining(" "));
    String text = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }".formatted(type, shape);
    int fixed = MAGIC.length + 2 + Short.BYTES;
    int length = Math.ceilDiv(fixed + text.length() + 1, ALIGNMENT) * ALIGNMENT;
    byte[] padded = new byte[length - fixed];
    Arrays.fill(padded, (byte) ' ');
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, padded, 0, bytes.length);
    padded[padded.length - 1] = '\n';
    ByteBuffer header = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) padded.length).put(padded);
    return header.array();
  }

  private static Tensor parse(String name, ByteBuffer npy) throws IOException {
    npy.order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[MAGIC.length];
    if (npy.remaining() < MAGIC.length + 6) {
      throw new IOException("array '%s': %d bytes are no .npy".formatted(name, npy.remaining()));
    }
    npy.get(magic);
    int version = npy.get();
    npy.get();
    int length = version == 1 ? npy.getShort() & 0xffff : npy.getInt();
    if (!Arrays.equals(magic, MAGIC) || length < 0 || length > npy.remaining()) {
      throw new IOException("array '%s': not in .npy format".formatted(name));
    }
    byte[] text = new byte[length];
    npy.get(text);
    String header = new String(text, StandardCharsets.ISO_8859_1);
    if (field(ORDER, header, name).equals("True")) {
      throw new IOException("array '%s': got Fortran order, expected C order".formatted(name));
    }
    Shape shape = Shape.of(dimensions(name, field(SHAPE, header, name)));
    return convert(name, field(TYPE, header, name), shape, npy.slice().order(npy.order()));
  }

  private static String field(Pattern pattern, String header, String name) throws IOException {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw new IOException("array '%s': header lacks %s".formatted(name, pattern));
    }
    return matcher.group(1);
  }

  private static long[] dimensions(String name, String text) throws IOException {
    try {
      return Arrays.stream(text.split(","))
          .map(String::strip)
          .filter(dim -> !dim.isEmpty())
          .mapToLong(Long::parseLong)
          .toArray();
    } catch (NumberFormatException e) {
      throw new IOException("array '%s': shape (%s)".formatted(name, text), e);
    }
  }

  private static Tensor convert(String name, String type, Shape shape, ByteBuffer data)
      throws IOException {
    int size =
        switch (type) {
          case "<f4", "<i4" -> Integer.BYTES;
          case "<f8", "<i8" -> Long.BYTES;
          case "|u1", "|b1" -> 1;
          default ->
              throw new IOException(
                  "array '%s': got type %s, expected float32, float64, int32, int64, uint8 or bool"
                      .formatted(name, type));
        };
    long expected = Math.multiplyExact(shape.elements(), size);
    if (expected != data.remaining()) {
      throw new IOException(
          "array '%s' %s %s: got %d bytes, expected %d"
              .formatted(name, type, shape, data.remaining(), expected));
    }
    if (type.equals("<f4")) {
      return new Tensor(DataType.FP32, shape, heapCopy(data));
    }
    if (type.equals("<i8")) {
      return new Tensor(DataType.INT64, shape, heapCopy(data));
    }
    int count = Math.toIntExact(shape.elements());
    if (type.equals("<f8")) {
      float[] floats = new float[count];
      for (int i = 0; i < count; i++) {
        floats[i] = (float) data.getDouble();
      }
      return Tensor.of(shape, floats);
    }
    long[] longs = new long[count];
    for (int i = 0; i < count; i++) {
      longs[i] = type.equals("<i4") ? data.getInt() : data.get() & 0xff;
    }
    return Tensor.of(shape, longs);
  }

  private static MemorySegment heapCopy(ByteBuffer data) {
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    return MemorySegment.ofArray(bytes);
  }
}
