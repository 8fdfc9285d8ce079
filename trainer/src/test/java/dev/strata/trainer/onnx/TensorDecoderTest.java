package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.TensorProto.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TensorDecoderTest {
  @Test
  void realTypesComeAsFloatsFromBothEncodings() {
    float[] expected = {1.5f, -2, 0.25f};
    assertArrayEquals(
        expected, reals(DataType.FLOAT, raw(b -> b.putFloat(1.5f).putFloat(-2).putFloat(0.25f))));
    assertArrayEquals(
        expected,
        reals(DataType.FLOAT, t -> t.addFloatData(1.5f).addFloatData(-2).addFloatData(0.25f)));
    assertArrayEquals(
        expected, reals(DataType.DOUBLE, raw(b -> b.putDouble(1.5).putDouble(-2).putDouble(0.25))));
    assertArrayEquals(
        expected,
        reals(DataType.DOUBLE, t -> t.addDoubleData(1.5).addDoubleData(-2).addDoubleData(0.25)));
    short[] half = {0x3e00, (short) 0xc000, 0x3400};
    assertArrayEquals(expected, reals(DataType.FLOAT16, raw(b -> put(b, half))));
    assertArrayEquals(expected, reals(DataType.FLOAT16, t -> add(t, half)));
    short[] brain = {0x3fc0, (short) 0xc000, 0x3e80};
    assertArrayEquals(expected, reals(DataType.BFLOAT16, raw(b -> put(b, brain))));
    assertArrayEquals(expected, reals(DataType.BFLOAT16, t -> add(t, brain)));
  }

  @Test
  void wholeTypesComeAsLongsFromBothEncodings() {
    long[] expected = {1, 200, 3};
    assertArrayEquals(
        expected, wholes(DataType.INT64, raw(b -> b.putLong(1).putLong(200).putLong(3))));
    assertArrayEquals(
        expected, wholes(DataType.INT64, t -> t.addInt64Data(1).addInt64Data(200).addInt64Data(3)));
    assertArrayEquals(
        expected, wholes(DataType.INT32, raw(b -> b.putInt(1).putInt(200).putInt(3))));
    assertArrayEquals(
        expected, wholes(DataType.INT32, t -> t.addInt32Data(1).addInt32Data(200).addInt32Data(3)));
    assertArrayEquals(
        expected, wholes(DataType.UINT8, raw(b -> b.put((byte) 1).put((byte) 200).put((byte) 3))));
    assertArrayEquals(
        new long[] {1, -56, 3},
        wholes(DataType.INT8, raw(b -> b.put((byte) 1).put((byte) 200).put((byte) 3))));
    assertArrayEquals(
        new long[] {1, 0, 1},
        wholes(DataType.BOOL, raw(b -> b.put((byte) 1).put((byte) 0).put((byte) 1))));
  }

  @Test
  void aWrongNumberOfElementsIsRefused() {
    ModelImportException error =
        assertThrows(
            ModelImportException.class,
            () -> reals(DataType.FLOAT, raw(b -> b.putFloat(1).putFloat(2))));
    assertEquals("constant 'c' [3]: got 8 bytes, expected 12", error.getMessage());
  }

  private static float[] reals(DataType type, Consumer<TensorProto.Builder> data) {
    return TensorDecoder.decode(tensor(type, data)).toFloats();
  }

  private static long[] wholes(DataType type, Consumer<TensorProto.Builder> data) {
    return TensorDecoder.decode(tensor(type, data)).toLongs();
  }

  private static TensorProto tensor(DataType type, Consumer<TensorProto.Builder> data) {
    TensorProto.Builder builder =
        TensorProto.newBuilder().setName("c").addDims(3).setDataType(type.getNumber());
    data.accept(builder);
    return builder.build();
  }

  private static Consumer<TensorProto.Builder> raw(Consumer<ByteBuffer> writer) {
    ByteBuffer buffer = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    writer.accept(buffer);
    buffer.flip();
    return tensor -> tensor.setRawData(ByteString.copyFrom(buffer));
  }

  private static void put(ByteBuffer buffer, short... patterns) {
    for (short pattern : patterns) {
      buffer.putShort(pattern);
    }
  }

  private static void add(TensorProto.Builder tensor, short... patterns) {
    for (short pattern : patterns) {
      tensor.addInt32Data(pattern & 0xffff);
    }
  }
}
