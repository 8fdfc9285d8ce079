package dev.strata.gateway.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the server does, whatever the protocol and the form of the tensors. The answers are held
/// against the model run directly, to the last bit; so all forms also agree with one another.
abstract class ProtocolSuite {

  private static final float[] ROW = new float[16];

  @TempDir Path directory;
  private ProtocolClient client;

  abstract ProtocolClient connect();

  @BeforeEach
  void waitUntilTheServerIsReady() throws InterruptedException {
    client = connect();
    while (!client.ready()) {
      Thread.sleep(20);
    }
  }

  @AfterEach
  void disconnect() {
    client.close();
  }

  @Test
  void everyWidthAnswersAsTheModelItselfDoes() throws IOException {
    float[] values = TinyModels.gaussian(new Random(3), 3 * 16, 1);
    for (Bits bits : Bits.all()) {
      Answer.Given answer = given(tiny(values).bits(bits.count()));
      assertEquals(bits.count(), answer.bits());
      assertSameBytes(direct(TinyRepository.SECOND_SEED, bits, values), answer);
    }
  }

  @Test
  void withoutAWishTheModelsDefaultAnswers() {
    assertEquals(Bits.MAX, given(tiny(new float[16])).bits());
  }

  @Test
  void theHeaderNamesTheWidthAndTheParameterWins() {
    assertEquals(3, given(tiny(new float[16]).header("3")).bits());
    assertEquals(5, given(tiny(new float[16]).header("3").bits(5)).bits());
  }

  @Test
  void theNewestVersionAnswersUnlessAnotherIsNamed() throws IOException {
    float[] values = TinyModels.gaussian(new Random(4), 16, 1);
    Bits bits = new Bits(4);
    assertEquals("2", given(tiny(values).bits(4)).version());
    Answer.Given first = given(tiny(values).bits(4).version("1"));
    assertEquals("1", first.version());
    assertSameBytes(direct(TinyRepository.FIRST_SEED, bits, values), first);
  }

  @Test
  void theAnswerSaysWhoseItIsAndWhatItCost() {
    Answer.Given answer = given(tiny(new float[16]).id("my mark").outputs("y"));
    assertEquals("my mark", answer.id());
    assertEquals("tiny", answer.model());
    assertEquals(List.of("y"), List.copyOf(answer.outputs().keySet()));
    assertTrue(answer.queueMicros() >= 0);
    assertTrue(answer.computeMicros() > 0);
  }

  @Test
  void manyAtOnceAreAllAnsweredEachAtItsWidth() throws Exception {
    float[] values = TinyModels.gaussian(new Random(5), 16, 1);
    try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        Question question = tiny(values).bits(1 + i % Bits.MAX);
        answers.add(callers.submit(() -> client.infer(question)));
      }
      for (int i = 0; i < answers.size(); i++) {
        Answer.Given answer = assertInstanceOf(Answer.Given.class, answers.get(i).get());
        assertEquals(1 + i % Bits.MAX, answer.bits());
      }
    }
  }

  @Test
  void theModelDescribesItselfWithItsWidths() {
    assertEquals(List.of("1", "2", "x FP32 [-1, 16]", "y FP32 [-1, 4]"), client.describe("tiny"));
    List<String> precisions = client.precisions("tiny");
    assertEquals(
        IntStream.rangeClosed(1, 8).boxed().toList(),
        precisions.stream().map(line -> Integer.parseInt(line.split(":", -1)[0])).toList());
    List<Long> bytes =
        precisions.stream().map(line -> Long.parseLong(line.split(":", -1)[1])).toList();
    assertEquals(bytes.stream().sorted().distinct().toList(), bytes, "each width needs more");
  }

  @Test
  void whatIsReadySaysSoAndWhatIsNotDoesNot() {
    assertTrue(client.live());
    assertTrue(client.modelReady("tiny"));
    assertFalse(client.modelReady("broken"));
    assertFalse(client.modelReady("unknown"));
    assertEquals(
        List.of(
            "broken/1 UNAVAILABLE",
            "conv/1 READY",
            "slow/1 READY",
            "sure/1 READY",
            "tiny/1 READY",
            "tiny/2 READY",
            "unsure/1 READY"),
        client.index());
  }

  @Test
  void whatCannotBeAnsweredIsRefusedWithAReason() {
    float[] row = new float[16];
    refused(Answer.Kind.NOT_FOUND, "'unknown'", Question.of("unknown", x(List.of(1L, 16L), row)));
    refused(Answer.Kind.NOT_FOUND, "'99'", tiny(row).version("99"));
    refused(Answer.Kind.NOT_FOUND, "'v1'", tiny(row).version("v1"));
    refused(
        Answer.Kind.UNAVAILABLE, "not be loaded", Question.of("broken", x(List.of(1L, 16L), row)));

    refused(Answer.Kind.INVALID, "'x' is missing", Question.of("tiny"));
    refused(
        Answer.Kind.INVALID,
        "inputs: got 'z', expected 'x'",
        Question.of("tiny", new Question.Input("z", "FP32", List.of(1L, 16L), row)));
    refused(
        Answer.Kind.INVALID,
        "inputs[1] 'x': got the name twice",
        Question.of("tiny", x(List.of(1L, 16L), row), x(List.of(1L, 16L), row)));
    refused(
        Answer.Kind.INVALID,
        "datatype: got 'FP31'",
        Question.of("tiny", new Question.Input("x", "FP31", List.of(1L, 16L), row)));
    refused(
        Answer.Kind.INVALID,
        "inputs[0] 'x'",
        Question.of("tiny", new Question.Input("x", "INT64", List.of(1L, 16L), row)));
    refused(Answer.Kind.INVALID, "'y2'", tiny(row).outputs("y2"));
    refused(Answer.Kind.INVALID, "outputs[1] 'y': got the name twice", tiny(row).outputs("y", "y"));
  }

  @Test
  void shapesThatDoNotFitAreRefused() {
    float[] row = new float[16];
    shape("expected [-1, 16]", row, 16L);
    shape("expected [-1, 16]", row, 2L, 8L);
    shape("expected [-1, 16]", row, 1L, 1L, 16L);
    shape("negative", row, -1L, 16L);
    shape("expected", row);
    shape("expected", new float[15], 1L, 16L);
    shape("expected", new float[17], 1L, 16L);
    shape("expected at least 1", new float[0], 0L, 16L);
    shape("expected at most", row, 1L << 31, 1L << 31, 1L << 31);
    shape("expected at most", row, 1L << 62, 4L);
    shape("expected at most 16", row, Collections.nCopies(10_000, 1L).toArray(Long[]::new));
    shape("expected at most 64", new float[65 * 16], 65L, 16L);
    assertEquals(
        64, given(tiny(new float[64 * 16])).outputs().get("y").shape().dim(0), "the limit itself");
  }

  @Test
  void widthsThatThereAreNotAreRefused() {
    for (Object bits : List.of(0, 9, -1, Integer.MAX_VALUE, true, "4", "four", 4.5)) {
      refused(Answer.Kind.INVALID, "parameters.bits", tiny(new float[16]).bits(bits));
    }
    for (String bits : List.of("0", "9", "four", "4.0", "-1")) {
      refused(Answer.Kind.INVALID, "strata-bits", tiny(new float[16]).header(bits));
    }
    refused(Answer.Kind.INVALID, "strata-bits", tiny(new float[16]).header("9").bits(4));
  }

  @Test
  void aCascadeAsksTheWiderWidthWhereItIsNotSure() {
    Question.Input x = x(List.of(1L, 16L), ROW);
    served(2, "cascade", "confident", Question.of("sure", x).parameter("precision", "cascade"));
    served(6, "cascade", "unsure", Question.of("unsure", x).parameter("precision", "cascade"));
    refused(
        Answer.Kind.INVALID,
        "precision: got cascade, which model 'tiny' has none of",
        tiny(ROW).parameter("precision", "cascade"));
  }

  @Test
  void theWidthIsTheServersChoiceWhereTheRequestLeavesIt() {
    served(5, "5", "requested", tiny(ROW).bits(5));
    served(8, "default", "default", tiny(ROW));
    served(6, "3-6", "widest", tiny(ROW).parameter("min_bits", 3).parameter("max_bits", 6));
    served(8, "3-8", "widest", tiny(ROW).parameter("min_bits", 3));
    served(8, "auto", "widest", tiny(ROW).parameter("precision", "auto"));
    served(
        4, "auto 1-4", "widest", tiny(ROW).parameter("precision", "auto").parameter("max_bits", 4));
    served(
        8,
        "1-8 within 60000000 us",
        "widest",
        tiny(ROW).parameter("latency_budget_us", 60_000_000));
    // By now something has been measured, and nothing takes a microsecond only.
    served(1, "1-8 within 1 us", "budget", tiny(ROW).parameter("latency_budget_us", 1));
    served(
        3,
        "3-6 within 1 us",
        "budget",
        tiny(ROW)
            .parameter("latency_budget_us", 1)
            .parameter("min_bits", 3)
            .parameter("max_bits", 6));
  }

  @Test
  void headersWishAsParametersDo() {
    served(
        6,
        "3-6",
        "widest",
        tiny(ROW).header("strata-min-bits", "3").header("strata-max-bits", "6"));
    given(tiny(ROW));
    served(1, "1-8 within 1 us", "budget", tiny(ROW).header("strata-latency-budget-us", "1"));
    served(8, "auto", "widest", tiny(ROW).header("strata-precision", "auto"));
    served(
        8,
        "auto",
        "widest",
        tiny(ROW).header("strata-priority", "3").parameter("precision", "auto"));
    served(5, "5", "requested", tiny(ROW).header("strata-precision", "auto").bits(5));
  }

  @Test
  void wishesThatContradictEachOtherAreRefused() {
    contradiction("bits", 4, "min_bits", 2);
    contradiction("bits", 4, "max_bits", 5);
    contradiction("bits", 4, "latency_budget_us", 1000);
    contradiction("bits", 4, "precision", "auto");
    contradiction("precision", "cascade", "max_bits", 4);
    contradiction("bits", 4, "ladder", "2,4");
    contradiction("min_bits", 6, "max_bits", 4);
    refused(
        Answer.Kind.INVALID,
        "parameters.precision: got 'best', expected 'auto' or 'cascade'",
        tiny(ROW).parameter("precision", "best"));
    refused(
        Answer.Kind.INVALID,
        "parameters.latency_budget_us: got 0",
        tiny(ROW).parameter("latency_budget_us", 0));
    refused(Answer.Kind.INVALID, "strata-priority", tiny(ROW).header("strata-priority", "9"));
    refused(Answer.Kind.INVALID, "parameters.priority", tiny(ROW).parameter("priority", "high"));
    refused(Answer.Kind.INVALID, "parameters.timeout", tiny(ROW).parameter("timeout", -1));
  }

  @Test
  void aCascadeNeedsAModelThatHasOne() {
    refused(
        Answer.Kind.INVALID, "model 'tiny' has none", tiny(ROW).parameter("precision", "cascade"));
  }

  @Test
  void oneAnswerIsNoLadder() {
    refused(Answer.Kind.NOT_OFFERED, "streaming", tiny(ROW).parameter("ladder", "2,4,8"));
    for (String wrong : List.of("", "2,", "4,2", "2,2", "0,4", "2,9", "two")) {
      refused(Answer.Kind.INVALID, "parameters.ladder", tiny(ROW).parameter("ladder", wrong));
    }
  }

  private void served(int bits, String requested, String reason, Question question) {
    Answer.Given answer = given(question);
    assertEquals(
        "%d for %s: %s".formatted(bits, requested, reason),
        "%d for %s: %s".formatted(answer.bits(), answer.requested(), answer.reason()));
  }

  private void contradiction(String one, Object value, String other, Object otherValue) {
    Question question = tiny(ROW).parameter(one, value).parameter(other, otherValue);
    refused(Answer.Kind.INVALID, "parameters." + one, question);
    refused(Answer.Kind.INVALID, "parameters." + other, question);
  }

  private void shape(String reason, float[] values, Long... dims) {
    refused(Answer.Kind.INVALID, reason, Question.of("tiny", x(List.of(dims), values)));
  }

  private void refused(Answer.Kind kind, String reason, Question question) {
    Answer.Refused refused = assertInstanceOf(Answer.Refused.class, client.infer(question));
    assertEquals(kind, refused.kind(), refused.message());
    assertTrue(
        refused.message().contains(reason), "'%s' in '%s'".formatted(reason, refused.message()));
    assertFalse(refused.message().contains("Exception"), refused.message());
  }

  private Answer.Given given(Question question) {
    return assertInstanceOf(Answer.Given.class, client.infer(question));
  }

  private static Question tiny(float[] values) {
    return Question.of("tiny", x(List.of(values.length / 16L, 16L), values));
  }

  private static Question.Input x(List<Long> shape, float[] values) {
    return new Question.Input("x", "FP32", shape, values);
  }

  private Tensor direct(long seed, Bits bits, float[] values) throws IOException {
    Path file = directory.resolve(seed + ".strata");
    try (TinyModel model = TinyModels.withSeed(seed)) {
      model.writeTo(file);
    }
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      Shape shape = Shape.of(values.length / 16, 16);
      return session.predict(bits, Map.of("x", Tensor.of(shape, values))).outputs().get("y");
    }
  }

  private static void assertSameBytes(Tensor expected, Answer.Given answer) {
    Tensor got = answer.outputs().get("y");
    assertEquals(expected.shape(), got.shape());
    byte[] bytes = got.data().toArray(ValueLayout.JAVA_BYTE);
    assertArrayEquals(
        expected.data().toArray(ValueLayout.JAVA_BYTE), bytes, () -> Arrays.toString(bytes));
  }
}
