package dev.strata.gateway.api.oip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.TestLimits;
import dev.strata.gateway.call.BitsReason;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Precision;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonTest {

  @Test
  void everyFiniteFloatSurvivesThereAndBack() {
    Random random = new Random(1);
    float[] values = new float[5000];
    for (int i = 0; i < values.length; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      values[i] = Float.isFinite(value) ? value : -0.0f;
    }
    String written = written(Tensor.of(Shape.of(50, 100), values));
    String data = written.substring(written.indexOf("\"data\":") + 7, written.length() - 3);
    Tensor read = read("FP32", "[50,100]", data).inputs().get("x");
    assertArrayEquals(values, read.toFloats());
  }

  @Test
  void nestedAndFlatDataAreTheSameTensor() {
    Tensor flat = read("INT64", "[2,1,3]", "[1,2,3,4,5,9223372036854775807]").inputs().get("x");
    Tensor nested =
        read("INT64", "[2,1,3]", "[[[1,2,3]],[[4,5,9223372036854775807]]]").inputs().get("x");
    assertArrayEquals(new long[] {1, 2, 3, 4, 5, Long.MAX_VALUE}, flat.toLongs());
    assertArrayEquals(flat.toLongs(), nested.toLongs());
  }

  @Test
  void membersMayComeInAnyOrderAndUnknownOnesAreIgnored() {
    InferenceRequest request =
        OipCodec.request(
            call(
                """
                {"later": {"a": [1, {"b": null}]}, "id": "r",
                 "inputs": [{"data": ["ä", ""], "datatype": "BYTES", "extra": [[]],
                             "shape": [2], "name": "x"}]}\
                """),
            TestLimits.DEFAULT);
    assertEquals("r", request.id());
    List<byte[]> elements = request.inputs().get("x").toByteArrays();
    assertEquals("ä", new String(elements.getFirst(), StandardCharsets.UTF_8));
    assertEquals(0, elements.getLast().length);
  }

  @Test
  void longTextsGrowTheBuffer() {
    String text = "word ".repeat(10_000);
    Tensor tensor = read("BYTES", "[2]", "[\"%s\",\"end\"]".formatted(text)).inputs().get("x");
    assertEquals(text, new String(tensor.toByteArrays().getFirst(), StandardCharsets.UTF_8));
  }

  @Test
  void dataThatDoesNotFitIsRefusedWithFieldGotAndExpected() {
    Map<List<String>, String> table =
        Map.ofEntries(
            Map.entry(List.of("FP32", "[2]", "[1]"), "got 1 elements, expected 2"),
            Map.entry(List.of("FP32", "[2]", "[1,2,3]"), "got more than 2 elements, expected 2"),
            Map.entry(List.of("FP32", "[2,2]", "[[1,2],[3]]"), "in dimension 1"),
            Map.entry(List.of("FP32", "[2,2]", "[[1,2],3]"), "got 3, expected an array"),
            Map.entry(List.of("FP32", "[2]", "[1,[2]]"), "expected a number"),
            Map.entry(List.of("FP32", "[1]", "[\"1\"]"), "expected a number"),
            Map.entry(List.of("FP32", "[1]", "[null]"), "got null, expected a number"),
            Map.entry(List.of("FP32", "[1]", "[1e39]"), "that FP32 can hold"),
            Map.entry(List.of("FP64", "[1]", "[1e400]"), "that FP64 can hold"),
            Map.entry(List.of("INT8", "[1]", "[128]"), "got 128, expected -128 to 127"),
            Map.entry(List.of("UINT8", "[1]", "[-1]"), "got -1, expected 0 to 255"),
            Map.entry(List.of("INT64", "[1]", "[9223372036854775808]"), "malformed JSON"),
            Map.entry(List.of("UINT64", "[1]", "[18446744073709551616]"), "0 to 2^64 - 1"),
            Map.entry(List.of("INT32", "[1]", "[1.5]"), "expected an integer"),
            Map.entry(List.of("BOOL", "[1]", "[2]"), "expected 0 to 1"),
            Map.entry(List.of("BYTES", "[1]", "[1]"), "got 1, expected a string"),
            Map.entry(List.of("FP16", "[1]", "[1]"), "no JSON form"),
            Map.entry(List.of("FP32", "[]", "[[1]]"), "expected"),
            Map.entry(List.of("FP32", "[500000000]", "[1]"), "too few"),
            Map.entry(List.of("FP32", "[4611686018427387904,4]", "[1]"), "expected at most"),
            Map.entry(List.of("FP32", "[2147483648,2147483648]", "[1]"), "expected at most"),
            Map.entry(List.of("FP32", "[-1]", "[1]"), "negative"),
            Map.entry(List.of("fp32", "[1]", "[1]"), "datatype: got 'fp32'"));
    table.forEach(
        (given, expected) -> {
          InferenceException refused =
              assertThrows(
                  InferenceException.class,
                  () -> read(given.get(0), given.get(1), given.get(2)),
                  given.toString());
          assertTrue(
              refused.getMessage().startsWith("inputs[0]")
                  && refused.getMessage().contains(expected),
              given + ": " + refused.getMessage());
        });
  }

  @Test
  void bodiesThatAreNotRequestsAreRefused() {
    Map<String, String> table =
        Map.ofEntries(
            Map.entry("", "body: got nothing, expected an object"),
            Map.entry("[]", "body: got an array, expected an object"),
            Map.entry("{", "malformed JSON"),
            Map.entry("{\"inputs\":[]} x", "malformed JSON"),
            Map.entry("{\"inputs\":[]} {}", "expected its end"),
            Map.entry("{\"inputs\":{}}", "inputs: got an object, expected an array"),
            Map.entry("{\"inputs\":[1]}", "inputs[0]: got a number, expected an object"),
            Map.entry("{\"inputs\":[{}]}", "inputs[0].name: missing"),
            Map.entry("{\"id\":1}", "id: got a number, expected a string"),
            Map.entry("{\"id\":\"a\",\"id\":\"b\"}", "malformed JSON"),
            Map.entry("{\"parameters\":{\"a\":[]}}", "parameters.a: got an array"),
            Map.entry("{\"parameters\":{\"a\":null}}", "parameters.a: got null"),
            Map.entry("{\"inputs\":[{\"data\":[NaN]}]}", "Non-standard token 'NaN'"),
            Map.entry("{\"x\":" + "[".repeat(10_000), "malformed JSON"),
            Map.entry("{\"outputs\":[" + "{},".repeat(1_000_000), "outputs[0].name: missing"));
    table.forEach(
        (body, expected) -> {
          InferenceException refused =
              assertThrows(InferenceException.class, () -> call(body), expected);
          assertTrue(refused.getMessage().contains(expected), refused.getMessage());
        });
  }

  @Test
  void whatHasNoJsonFormIsRefusedWithAHintToBinary() {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      InferenceException refused =
          assertThrows(
              InferenceException.class, () -> written(Tensor.of(Shape.of(1), new float[] {value})));
      assertTrue(refused.getMessage().contains("binary_data"), refused.getMessage());
    }
    assertThrows(
        InferenceException.class, () -> written(Tensor.ofBytes(List.of(new byte[] {(byte) 0xff}))));
  }

  private static String written(Tensor tensor) {
    InferenceResult result =
        new InferenceResult(
            "m",
            "1",
            "",
            new Bits(1),
            new Precision.ModelDefault(),
            BitsReason.DEFAULT,
            false,
            true,
            List.of(new InferenceResult.Output("y", tensor)),
            0,
            0);
    OipJsonWriter.Body body = OipJsonWriter.write(result, call("{\"inputs\":[]}"));
    return new String(body.bytes(), StandardCharsets.UTF_8);
  }

  private static InferenceRequest read(String datatype, String shape, String data) {
    return OipCodec.request(
        call(
            "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":%s,\"data\":%s}]}"
                .formatted(datatype, shape, data)),
        TestLimits.DEFAULT);
  }

  private static OipCall call(String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return new OipJsonReader(
            OipJson.within(TestLimits.DEFAULT),
            TestLimits.DEFAULT,
            RestBody.of(bytes),
            bytes.length)
        .read("m", Optional.empty(), new HeaderWishes(Map.of()));
  }
}
