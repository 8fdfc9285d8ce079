package dev.strata.gateway.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import inference.GRPCInferenceServiceGrpc;
import inference.InferParameter;
import inference.InferTensorContents;
import inference.ModelInferRequest;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.StatusRuntimeException;
import io.grpc.internal.CompositeReadableBuffer;
import io.grpc.internal.ForwardingReadableBuffer;
import io.grpc.internal.ReadableBuffer;
import io.grpc.internal.ReadableBuffers;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Requests that stay in the network's buffers, held against the generated classes.
class LendingMarshallerTest {

  private static final PrototypeMarshaller<ModelInferRequest> GENERATED =
      (PrototypeMarshaller<ModelInferRequest>)
          GRPCInferenceServiceGrpc.getModelInferMethod().getRequestMarshaller();

  private final LendingMarshaller<ModelInferRequest> lending = new LendingMarshaller<>(GENERATED);

  /// Buffers of the network that have not been given back.
  private final AtomicInteger open = new AtomicInteger();

  @Test
  void readsWhatTheGeneratedClassesRead() {
    Random random = new Random(1);
    for (int round = 0; round < 300; round++) {
      byte[] bytes = request(random).toByteArray();
      Lent<ModelInferRequest> lent = lending.parse(wire(bytes, random));
      assertEquals(GENERATED.parse(new ByteArrayInputStream(bytes)), lent.message());
      lent.release();
      assertEquals(0, open.get());
    }
  }

  @Test
  void refusesWhatTheGeneratedClassesRefuse() {
    Random random = new Random(2);
    int refused = 0;
    for (int round = 0; round < 600; round++) {
      byte[] bytes = damaged(request(random).toByteArray(), random);
      InputStream wire = wire(bytes, random);
      ModelInferRequest known;
      try {
        known = GENERATED.parse(new ByteArrayInputStream(bytes));
      } catch (StatusRuntimeException malformed) {
        refused++;
        StatusRuntimeException same =
            assertThrows(StatusRuntimeException.class, () -> lending.parse(wire));
        assertEquals(malformed.getStatus().getCode(), same.getStatus().getCode());
        assertEquals(malformed.getStatus().getDescription(), same.getStatus().getDescription());
        assertEquals(0, open.get());
        continue;
      }
      Lent<ModelInferRequest> lent = lending.parse(wire);
      assertEquals(known, lent.message());
      lent.release();
      assertEquals(0, open.get());
    }
    assertTrue(refused > 100 && refused < 500, refused + " of 600 were malformed");
  }

  @Test
  void aLargeTensorStaysInTheBuffersUntilItsLastHolderLetsGo() {
    byte[] data = new byte[100_000];
    new Random(3).nextBytes(data);
    byte[] bytes =
        ModelInferRequest.newBuilder()
            .setModelName("m")
            .addRawInputContents(ByteString.copyFrom(data))
            .build()
            .toByteArray();
    Lent<ModelInferRequest> lent = lending.parse(wire(bytes, new Random(4)));
    ByteString tensor = lent.message().getRawInputContents(0);
    assertEquals(ByteString.copyFrom(data), tensor);
    assertTrue(tensor.asReadOnlyByteBufferList().size() > 1);
    assertTrue(tensor.asReadOnlyByteBufferList().stream().allMatch(ByteBuffer::isDirect));
    int lentBuffers = open.get();
    assertTrue(lentBuffers > 1);
    lent.hold();
    lent.release();
    assertEquals(lentBuffers, open.get());
    lent.release();
    assertEquals(0, open.get());
  }

  @Test
  void aSmallRequestOwnsItsBytes() {
    byte[] bytes =
        ModelInferRequest.newBuilder()
            .addRawInputContents(ByteString.copyFrom(new byte[1000]))
            .build()
            .toByteArray();
    Lent<ModelInferRequest> lent = lending.parse(wire(bytes, new Random(5)));
    assertFalse(lent.message().getRawInputContents(0).asReadOnlyByteBuffer().isDirect());
  }

  /// What gRPC gives a marshaller: one stream over the frames as they came, in buffers that are
  /// overwritten when they are given back.
  private InputStream wire(byte[] bytes, Random random) {
    CompositeReadableBuffer frames = new CompositeReadableBuffer();
    int at = 0;
    while (at < bytes.length) {
      int length = Math.min(bytes.length - at, 1 + random.nextInt(20_000));
      ByteBuffer buffer = ByteBuffer.allocateDirect(length).put(bytes, at, length).flip();
      open.incrementAndGet();
      frames.addBuffer(new Frame(ReadableBuffers.wrap(buffer), buffer));
      at += length;
    }
    return ReadableBuffers.openStream(frames, true);
  }

  private final class Frame extends ForwardingReadableBuffer {
    private final ByteBuffer memory;
    private boolean closed;

    Frame(ReadableBuffer frame, ByteBuffer memory) {
      super(frame);
      this.memory = memory;
    }

    @Override
    public void close() {
      assertFalse(closed);
      closed = true;
      for (int i = 0; i < memory.limit(); i++) {
        memory.put(i, (byte) 0x55);
      }
      open.decrementAndGet();
      super.close();
    }
  }

  private static ModelInferRequest request(Random random) {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder()
            .setModelName(text(random))
            .setModelVersion(random.nextBoolean() ? "" : "3")
            .setId(text(random));
    int parameters = random.nextInt(4);
    for (int i = 0; i < parameters; i++) {
      request.putParameters(
          text(random),
          random.nextBoolean()
              ? InferParameter.newBuilder().setInt64Param(random.nextLong()).build()
              : InferParameter.newBuilder().setStringParam(text(random)).build());
    }
    int inputs = random.nextInt(4);
    boolean raw = random.nextInt(4) > 0;
    for (int i = 0; i < inputs; i++) {
      ModelInferRequest.InferInputTensor.Builder input =
          ModelInferRequest.InferInputTensor.newBuilder()
              .setName(text(random))
              .setDatatype("FP32")
              .addShape(random.nextInt(100));
      byte[] data = new byte[random.nextInt(random.nextBoolean() ? 100 : 60_000)];
      random.nextBytes(data);
      if (raw) {
        request.addRawInputContents(ByteString.copyFrom(data));
      } else {
        input.setContents(
            InferTensorContents.newBuilder()
                .addFp32Contents(random.nextFloat())
                .addBytesContents(ByteString.copyFrom(data)));
      }
      request.addInputs(input);
    }
    return request.build();
  }

  private static String text(Random random) {
    return random
        .ints(random.nextInt(30), 0x20, random.nextBoolean() ? 0x7f : 0x7ff)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /// Cut off, or with a few bytes changed near the beginning, where most of the structure is.
  private static byte[] damaged(byte[] bytes, Random random) {
    if (bytes.length == 0) {
      return bytes;
    }
    byte[] damaged =
        java.util.Arrays.copyOf(
            bytes, random.nextInt(3) > 0 ? bytes.length : random.nextInt(bytes.length));
    int changes = random.nextInt(3);
    for (int i = 0; i < changes && damaged.length > 0; i++) {
      damaged[random.nextInt(Math.min(200, damaged.length))] = (byte) random.nextInt();
    }
    return damaged;
  }
}
