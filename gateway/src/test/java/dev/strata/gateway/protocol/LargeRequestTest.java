package dev.strata.gateway.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.strata.v1.PredictLadderRequest;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.StrataGrpc;
import dev.strata.v1.StrataGrpc.StrataBlockingStub;
import dev.strata.v1.Tensor;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.InferParameter;
import inference.ModelInferRequest;
import inference.ModelStreamInferResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Requests over the size from which they stay in the network's buffers, and over that of a frame,
/// are answered like their rows, which are copied.
@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
class LargeRequestTest {

  private static final int ROWS = 40;

  private static final int ON_ONE_STREAM = 100;

  /// Of model `conv`.
  private static final int IMAGE_BYTES = 8 * 8 * 3 * Float.BYTES;

  private ManagedChannel channel;
  private GRPCInferenceServiceBlockingStub oip;
  private StrataBlockingStub strata;
  private byte[] images;
  private ByteString expected;

  @BeforeEach
  void connect() throws InterruptedException {
    TinyRepository.awaitLoaded();
    channel = GrpcClient.channel();
    oip = GRPCInferenceServiceGrpc.newBlockingStub(channel);
    strata = StrataGrpc.newBlockingStub(channel);
    images = images();
    expected = ByteString.EMPTY;
    for (int row = 0; row < ROWS; row++) {
      expected = expected.concat(oip.modelInfer(request(row, 1)).getRawOutputContents(0));
    }
  }

  @AfterEach
  void disconnect() {
    channel.shutdownNow();
  }

  @Test
  void plainAndCompressed() {
    assertEquals(expected, oip.modelInfer(request(0, ROWS)).getRawOutputContents(0));
    assertEquals(
        expected, oip.withCompression("gzip").modelInfer(request(0, ROWS)).getRawOutputContents(0));
  }

  @Test
  void ourOwnServiceAndItsLadder() {
    PredictRequest request =
        PredictRequest.newBuilder()
            .setModel("conv")
            .addInputs(
                Tensor.newBuilder()
                    .setName("image")
                    .setDatatype("FP32")
                    .addAllShape(List.of((long) ROWS, 8L, 8L, 3L))
                    .setData(ByteString.copyFrom(images)))
            .build();
    assertEquals(
        expected, strata.predict(request.toBuilder().setBits(8).build()).getOutputs(0).getData());
    List<ByteString> rungs = new ArrayList<>();
    strata
        .predictLadder(
            PredictLadderRequest.newBuilder().setRequest(request).addAllBits(List.of(2, 8)).build())
        .forEachRemaining(answer -> rungs.add(answer.getOutputs(0).getData()));
    assertEquals(2, rungs.size());
    assertEquals(expected, rungs.getLast());
  }

  /// A slow machine may refuse some for want of time; what it answers is right.
  @Test
  void manyOnOneStream() {
    CollectedAnswers answers = new CollectedAnswers();
    StreamObserver<ModelInferRequest> requests =
        GRPCInferenceServiceGrpc.newStub(channel).modelStreamInfer(answers);
    for (int i = 0; i < ON_ONE_STREAM; i++) {
      requests.onNext(request(0, ROWS));
    }
    requests.onCompleted();
    assertEquals(Status.Code.OK, answers.ended().join().getCode());
    assertEquals(ON_ONE_STREAM, answers.messages().size());
    int answered = 0;
    for (ModelStreamInferResponse answer : answers.messages()) {
      if (answer.getErrorMessage().isEmpty()) {
        assertEquals(expected, answer.getInferResponse().getRawOutputContents(0));
        answered++;
      } else {
        assertTrue(answer.getErrorMessage().startsWith("queue: "), answer.getErrorMessage());
      }
    }
    assertTrue(answered > 0);
  }

  private static byte[] images() {
    byte[] images = new byte[ROWS * IMAGE_BYTES];
    ByteBuffer values = ByteBuffer.wrap(images).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(1);
    while (values.hasRemaining()) {
      values.putFloat((float) random.nextGaussian());
    }
    return images;
  }

  private ModelInferRequest request(int first, int rows) {
    return ModelInferRequest.newBuilder()
        .setModelName("conv")
        .putParameters("bits", InferParameter.newBuilder().setInt64Param(8).build())
        .addInputs(
            ModelInferRequest.InferInputTensor.newBuilder()
                .setName("image")
                .setDatatype("FP32")
                .addAllShape(List.of((long) rows, 8L, 8L, 3L)))
        .addRawInputContents(ByteString.copyFrom(images, first * IMAGE_BYTES, rows * IMAGE_BYTES))
        .build();
  }
}
