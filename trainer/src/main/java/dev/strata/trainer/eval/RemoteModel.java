package dev.strata.trainer.eval;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import inference.GRPCInferenceServiceGrpc;
import inference.InferParameter;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/// One model of a running gateway, asked by the Open Inference Protocol over gRPC.
public final class RemoteModel implements QualityMeasurement.Predictor, AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 256 << 20;
  private static final long PATIENCE_SECONDS = 60;

  private final String address;
  private final String name;
  private final ManagedChannel channel;

  /// @param address `host:port`, plain text
  /// @param name of the model there
  public RemoteModel(String address, String name) {
    this.address = address;
    this.name = name;
    channel =
        NettyChannelBuilder.forTarget(address)
            .usePlaintext()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .build();
  }

  /// @throws UncheckedIOException if there is no answer, a refusal, or one of another width
  @Override
  public Map<String, Tensor> predict(Bits bits, Map<String, Tensor> inputs) {
    ModelInferResponse response;
    try {
      response =
          GRPCInferenceServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS)
              .modelInfer(request(bits, inputs));
    } catch (StatusRuntimeException failure) {
      throw failed("%s: %s".formatted(bits, failure.getStatus()));
    }
    InferParameter answered =
        response.getParametersOrDefault("bits", InferParameter.getDefaultInstance());
    if (answered.getInt64Param() != bits.count()) {
      throw failed(
          "got an answer of %d bits, expected %s".formatted(answered.getInt64Param(), bits));
    }
    if (response.getRawOutputContentsCount() != response.getOutputsCount()) {
      throw failed("got an answer without raw contents");
    }
    Map<String, Tensor> outputs = new TreeMap<>();
    for (int i = 0; i < response.getOutputsCount(); i++) {
      ModelInferResponse.InferOutputTensor output = response.getOutputs(i);
      outputs.put(output.getName(), tensor(output, response.getRawOutputContents(i)));
    }
    return outputs;
  }

  private UncheckedIOException failed(String what) {
    return new UncheckedIOException(
        new java.io.IOException("%s, model '%s': %s".formatted(address, name, what)));
  }

  private ModelInferRequest request(Bits bits, Map<String, Tensor> inputs) {
    ModelInferRequest.Builder request =
        ModelInferRequest.newBuilder()
            .setModelName(name)
            .putParameters("bits", InferParameter.newBuilder().setInt64Param(bits.count()).build());
    inputs.forEach(
        (input, tensor) -> {
          request.addInputs(
              ModelInferRequest.InferInputTensor.newBuilder()
                  .setName(input)
                  .setDatatype(tensor.type().name())
                  .addAllShape(tensor.shape().dims()));
          request.addRawInputContents(UnsafeByteOperations.unsafeWrap(raw(tensor)));
        });
    return request.build();
  }

  /// The protocol's raw form: little-endian numbers; byte strings each behind their length.
  private static byte[] raw(Tensor tensor) {
    if (tensor.type() != DataType.BYTES) {
      return tensor.data().toArray(ValueLayout.JAVA_BYTE);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] element : tensor.toByteArrays()) {
      bytes.writeBytes(
          ByteBuffer.allocate(Integer.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(element.length)
              .array());
      bytes.writeBytes(element);
    }
    return bytes.toByteArray();
  }

  private static Tensor tensor(ModelInferResponse.InferOutputTensor output, ByteString raw) {
    DataType type = DataType.valueOf(output.getDatatype());
    if (type != DataType.BYTES) {
      long[] dims = output.getShapeList().stream().mapToLong(Long::longValue).toArray();
      return new Tensor(type, Shape.of(dims), MemorySegment.ofArray(raw.toByteArray()));
    }
    ByteBuffer buffer = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    List<byte[]> elements = new ArrayList<>();
    while (buffer.hasRemaining()) {
      byte[] element = new byte[buffer.getInt()];
      buffer.get(element);
      elements.add(element);
    }
    return Tensor.ofBytes(elements);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
