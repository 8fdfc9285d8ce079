package dev.strata.gateway.api.oip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.TestLimits;
import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Precision;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import inference.InferParameter;
import inference.InferTensorContents;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.RepositoryIndexRequest;
import inference.RepositoryIndexResponse;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// Known bytes of the protocol, as any other implementation writes them.
class GoldenBytesTest {

  private static final String RAW =
      "0a016d 2a0d 0a0178 120446503332 1a020102 3a08 0000803f 00000040";
  private static final String TYPED =
      "0a016d 2a19 0a0178 120446503332 1a020102 2a0a 3208 0000803f 00000040";

  @Test
  void rawAndTypedMessagesAreTheSameRequest() throws InvalidProtocolBufferException {
    for (String golden : List.of(RAW, TYPED)) {
      InferenceRequest request = request(golden);
      assertEquals("m", request.model());
      Tensor x = request.inputs().get("x");
      assertEquals(Shape.of(1, 2), x.shape());
      assertArrayEquals(new float[] {1, 2}, x.toFloats());
    }
  }

  @Test
  void aNarrowIntegerTensorKeepsItsParameters() throws InvalidProtocolBufferException {
    String golden =
        "0a016d 1a027231 2214 0a0e 707265636973696f6e5f62697473 1202 1004"
            + "2a0c 0a0178 1204494e5438 1a0103 3a03ff0001";
    ModelInferRequest message = roundTrip(golden, ModelInferRequest.parser());
    assertEquals(4, message.getParametersOrThrow("precision_bits").getInt64Param());
    InferenceRequest request = request(golden);
    assertEquals("r1", request.id());
    assertEquals(3, request.inputs().get("x").data().byteSize());
  }

  @Test
  void bytesElementsMayBeEmpty() throws InvalidProtocolBufferException {
    List<byte[]> elements =
        request("0a016d 2a0d 0a0174 12054259544553 1a0102 3a0a 020000006869 00000000")
            .inputs()
            .get("t")
            .toByteArrays();
    assertArrayEquals("hi".getBytes(StandardCharsets.UTF_8), elements.get(0));
    assertEquals(0, elements.get(1).length);
  }

  @Test
  void aTypedLongWithARequestedOutputDecodes() throws InvalidProtocolBufferException {
    ModelInferRequest message =
        roundTrip(
            "0a016d 2a1b 0a0161 1205494e543634 1a0101 2a0c 1a0a feffffffffffffffff01"
                + "3219 0a0179 1214 0a0e 636c617373696669636174696f6e 12021003",
            ModelInferRequest.parser());
    assertEquals(-2, message.getInputs(0).getContents().getInt64Contents(0));
    assertEquals(3, message.getOutputs(0).getParametersOrThrow("classification").getInt64Param());
  }

  @Test
  void negativeInt32TakesTenBytes() throws InvalidProtocolBufferException {
    InferTensorContents contents =
        roundTrip("120b ffffffffffffffffff01 05", InferTensorContents.parser());
    assertEquals(List.of(-1, 5), contents.getIntContentsList());
  }

  @Test
  void parametersOfAllKindsDecode() throws InvalidProtocolBufferException {
    assertEquals(true, roundTrip("0801", InferParameter.parser()).getBoolParam());
    assertEquals(true, roundTrip("0800", InferParameter.parser()).hasBoolParam());
    assertEquals(-1, roundTrip("10ffffffffffffffffff01", InferParameter.parser()).getInt64Param());
    assertEquals(true, roundTrip("1a00", InferParameter.parser()).hasStringParam());
    assertEquals(0.5, roundTrip("21000000000000e03f", InferParameter.parser()).getDoubleParam());
    assertEquals(3, roundTrip("2803", InferParameter.parser()).getUint64Param());
  }

  @Test
  void theRepositoryIndexIsAsEveryoneWritesIt() throws InvalidProtocolBufferException {
    assertEquals(true, roundTrip("1001", RepositoryIndexRequest.parser()).getReady());
    RepositoryIndexResponse index =
        roundTrip("0a0d 0a016d 120131 1a055245414459", RepositoryIndexResponse.parser());
    assertEquals("READY", index.getModels(0).getState());
  }

  @Test
  void theAnswerIsRawAndReadableToEveryClient() throws InvalidProtocolBufferException {
    ModelInferResponse ours =
        OipMessages.response(
            new InferenceResult(
                "m",
                "1",
                "",
                new Bits(4),
                new Precision.Exactly(new Bits(4)),
                BitsReason.REQUESTED,
                false,
                true,
                List.of(
                    new InferenceResult.Output("y", Tensor.of(Shape.of(1, 1), new float[] {3}))),
                5,
                7));
    assertEquals(4, ours.getParametersOrThrow("bits").getInt64Param());
    assertEquals("4", ours.getParametersOrThrow("requested").getStringParam());
    assertEquals("requested", ours.getParametersOrThrow("bits_reason").getStringParam());
    assertEquals(5, ours.getParametersOrThrow("queue_us").getInt64Param());
    assertEquals(7, ours.getParametersOrThrow("compute_us").getInt64Param());
    ModelInferResponse golden =
        roundTrip(
            "0a016d 120131 2a0d 0a0179 120446503332 1a020101 3204 00004040",
            ModelInferResponse.parser());
    assertEquals(golden, ours.toBuilder().clearParameters().build());
  }

  private static InferenceRequest request(String golden) throws InvalidProtocolBufferException {
    return OipCodec.request(
        OipMessages.call(
            roundTrip(golden, ModelInferRequest.parser()),
            new HeaderWishes(Map.of()),
            OptionalLong.empty()),
        TestLimits.DEFAULT);
  }

  /// Decodes, checks that encoding gives the very same bytes, and returns the message.
  private static <M extends MessageLite> M roundTrip(String golden, Parser<M> parser)
      throws InvalidProtocolBufferException {
    byte[] bytes = HexFormat.of().parseHex(golden.replace(" ", ""));
    M message = parser.parseFrom(bytes);
    assertEquals(ByteString.copyFrom(bytes), message.toByteString());
    return message;
  }
}
