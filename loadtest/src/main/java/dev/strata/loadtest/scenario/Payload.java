package dev.strata.loadtest.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// One input tensor, ready for the wire.
public final class Payload {
  private static final int ID_BYTES = 8;

  private final String name;
  private final String datatype;
  private final List<Long> shape;
  private final byte[] data;
  private final String id;

  private Payload(String name, String datatype, List<Long> shape, byte[] data) {
    this.name = name;
    this.datatype = datatype;
    this.shape = List.copyOf(shape);
    this.data = data;
    this.id = id(name, datatype, shape, data);
  }

  /// A BYTES tensor of one row.
  public static Payload ofBytes(String name, byte[] element) {
    ByteBuffer data =
        ByteBuffer.allocate(Integer.BYTES + element.length).order(ByteOrder.LITTLE_ENDIAN);
    data.putInt(element.length).put(element);
    return new Payload(name, "BYTES", List.of(1L), data.array());
  }

  public static Payload ofFloats(String name, List<Long> shape, float[] values) {
    ByteBuffer data =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return new Payload(name, "FP32", shape, data.array());
  }

  private static String id(String name, String datatype, List<Long> shape, byte[] data) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("%s %s %s ".formatted(name, datatype, shape).getBytes(UTF_8));
      return HexFormat.of().formatHex(digest.digest(data), 0, ID_BYTES);
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /// Name of the input.
  public String name() {
    return name;
  }

  /// As the Open Inference Protocol names it.
  public String datatype() {
    return datatype;
  }

  public List<Long> shape() {
    return shape;
  }

  /// Little-endian elements; BYTES elements behind their lengths. Not to be written to.
  public byte[] data() {
    return data;
  }

  /// The same for the same tensor, in every run.
  public String id() {
    return id;
  }
}
