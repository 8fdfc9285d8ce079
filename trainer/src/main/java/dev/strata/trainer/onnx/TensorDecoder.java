package dev.strata.trainer.onnx;

import com.google.protobuf.ByteString;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.onnx.TensorProto;
import dev.strata.trainer.onnx.ValueFacts.ElementType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntToLongFunction;

/// ONNX constants in every encoding to FP32 or INT64 tensors.
final class TensorDecoder {
  private final TensorProto proto;
  private final Shape shape;
  private final int count;
  private final ByteBuffer raw;

  private TensorDecoder(TensorProto proto) {
    this.proto = proto;
    shape = new Shape(proto.getDimsList());
    count = Math.toIntExact(shape.elements());
    ByteString bytes = proto.getRawData();
    raw = bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  static Tensor decode(TensorProto proto) {
    if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      throw new ModelImportException(
          "constant '%s': its data is in another file; save the model with its data inside"
              .formatted(proto.getName()));
    }
    try {
      return new TensorDecoder(proto).decode();
    } catch (IllegalArgumentException | ArithmeticException badShape) {
      throw new ModelImportException(
          "constant '%s': dimensions %s".formatted(proto.getName(), proto.getDimsList()), badShape);
    }
  }

  /// How a value of an ONNX element type is carried.
  ///
  /// @param type number from TensorProto.DataType
  static ElementType elementType(int type, String where) {
    return switch (TensorProto.DataType.forNumber(type)) {
      case FLOAT, FLOAT16, BFLOAT16, DOUBLE -> ElementType.REAL;
      case INT64, INT32, INT16, INT8, UINT8, UINT16, UINT32, UINT64 -> ElementType.WHOLE;
      case BOOL -> ElementType.TRUTH;
      case null, default ->
          throw new ModelImportException(
              "%s: element type %s; expected a number type or BOOL"
                  .formatted(where, TensorProto.DataType.forNumber(type)));
    };
  }

  private Tensor decode() {
    return switch (TensorProto.DataType.forNumber(proto.getDataType())) {
      case FLOAT -> {
        boolean isRaw = checkCount(Float.BYTES, proto.getFloatDataCount());
        yield isRaw
            ? raw(DataType.FP32)
            : reals(Float.BYTES, count, raw::getFloat, proto::getFloatData);
      }
      case DOUBLE -> reals(8, proto.getDoubleDataCount(), raw::getDouble, proto::getDoubleData);
      case FLOAT16 ->
          reals(
              2,
              proto.getInt32DataCount(),
              at -> Float.float16ToFloat(raw.getShort(at)),
              i -> Float.float16ToFloat((short) proto.getInt32Data(i)));
      case BFLOAT16 ->
          reals(
              2,
              proto.getInt32DataCount(),
              at -> Float.intBitsToFloat(raw.getShort(at) << 16),
              i -> Float.intBitsToFloat(proto.getInt32Data(i) << 16));
      case INT64 -> wholes(8, proto.getInt64DataCount(), raw::getLong, proto::getInt64Data);
      case INT32 -> wholes(4, proto.getInt32DataCount(), raw::getInt, proto::getInt32Data);
      case INT16 -> wholes(2, proto.getInt32DataCount(), raw::getShort, proto::getInt32Data);
      case INT8 -> wholes(1, proto.getInt32DataCount(), raw::get, proto::getInt32Data);
      case UINT8 ->
          wholes(1, proto.getInt32DataCount(), at -> raw.get(at) & 0xff, proto::getInt32Data);
      case UINT16 ->
          wholes(
              2, proto.getInt32DataCount(), at -> raw.getShort(at) & 0xffff, proto::getInt32Data);
      case UINT32 ->
          wholes(
              4,
              proto.getUint64DataCount(),
              at -> Integer.toUnsignedLong(raw.getInt(at)),
              proto::getUint64Data);
      case UINT64 -> wholes(8, proto.getUint64DataCount(), raw::getLong, proto::getUint64Data);
      case BOOL ->
          wholes(
              1,
              proto.getInt32DataCount(),
              at -> raw.get(at) == 0 ? 0 : 1,
              i -> proto.getInt32Data(i) == 0 ? 0 : 1);
      case null, default ->
          throw new ModelImportException(
              "constant '%s': element type %d; expected a number type or BOOL"
                  .formatted(proto.getName(), proto.getDataType()));
    };
  }

  /// The bytes as they are: little-endian both there and here.
  private Tensor raw(DataType type) {
    return new Tensor(type, shape, MemorySegment.ofArray(proto.getRawData().toByteArray()));
  }

  private Tensor reals(int size, int typed, IntToDoubleFunction at, IntToDoubleFunction element) {
    boolean isRaw = checkCount(size, typed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (isRaw ? at.applyAsDouble(i * size) : element.applyAsDouble(i));
    }
    return Tensor.of(shape, values);
  }

  private Tensor wholes(int size, int typed, IntToLongFunction at, IntToLongFunction element) {
    boolean isRaw = checkCount(size, typed);
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = isRaw ? at.applyAsLong(i * size) : element.applyAsLong(i);
    }
    return Tensor.of(shape, values);
  }

  /// @return whether the data is raw
  private boolean checkCount(int size, int typed) {
    boolean isRaw = raw.limit() > 0;
    long got = isRaw ? raw.limit() : typed;
    long expected = isRaw ? (long) count * size : count;
    if (got != expected) {
      throw new ModelImportException(
          "constant '%s' %s: got %d %s, expected %d"
              .formatted(proto.getName(), shape, got, isRaw ? "bytes" : "elements", expected));
    }
    return isRaw;
  }
}
