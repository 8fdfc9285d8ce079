package dev.strata.loadtest.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ScenarioFileTest {
  private static final String MINIMAL =
      """
      calls:
        - model: minilm
          input: {name: text, texts: ["hello"]}
      phases:
        - {seconds: 1, rate: 10}
      """;

  @TempDir private Path folder;

  @Test
  void whatIsNotSaidHasADefault() throws IOException {
    Scenario scenario = read(MINIMAL);

    assertEquals(new Scenario.Target("http://127.0.0.1:8080", "127.0.0.1:9000"), scenario.target());
    assertEquals(Double.POSITIVE_INFINITY, scenario.deadlineMillis());
    Call call = scenario.calls().getFirst();
    assertEquals("minilm", call.name());
    assertEquals("default", call.wish());
    assertEquals(Call.Protocol.GRPC, call.protocol());
    assertEquals(new Phase.Open(1, 10, 10, true), scenario.phases().getFirst());
  }

  @Test
  void aCallWithWidthsIsOneCallForEach() throws IOException {
    Scenario scenario = read(MINIMAL.replace("model: minilm", "model: minilm\n    bits: [8, 2]"));

    assertEquals(
        Map.of("bits", 8), scenario.calls().getFirst().parameters(), "parameters of the first");
    assertEquals("minilm at 2 bits", scenario.calls().getLast().name());
  }

  @Test
  void theSameSeedGivesTheSamePayloads() throws IOException {
    String words = MINIMAL.replace("texts: [\"hello\"]", "words: {from: 3, to: 9}");

    assertEquals(ids(read(words)), ids(read(words)));
    assertEquals(64, read(words).calls().getFirst().payloads().size());
  }

  @Test
  void aTraceIsReplayedAtItsTimes() throws IOException {
    Files.writeString(folder.resolve("trace.csv"), "# milliseconds, call\n0\n12.5,minilm\n");
    Scenario scenario = read(MINIMAL.replace("{seconds: 1, rate: 10}", "{trace: trace.csv}"));

    Phase.Trace trace = (Phase.Trace) scenario.phases().getFirst();
    assertEquals(0.0125, trace.arrivals().getLast().atSeconds());
    assertEquals("minilm", trace.arrivals().getLast().call());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          rate: 10 | rte: 10 | phases[0].rate: is missing
          seconds: 1, | seconds: 1, rte: 1, | phases[0].rte: unknown key, expected one of \
          [arrivals, rate, seconds, to_rate, trace, users]
          rate: 10 | rate: -1 | phases[0].rate: got -1, expected a number from 0.001 to 1000000
          rate: 10 | rate: 10, arrivals: now | phases[0].arrivals: got now, expected poisson or fixed
          model: minilm | name: x | calls[0].model: is missing
          texts: ["hello"] | texts: [] | calls[0].input.texts: got [], expected a list with at \
          least one item
          texts: ["hello"] | other: 1 | calls[0].input: expected one of texts, words, files, shape
          """)
  void aWrongFieldIsNamed(String right, String wrong, String message) {
    InvalidScenarioException refusal =
        assertThrows(InvalidScenarioException.class, () -> read(MINIMAL.replace(right, wrong)));
    assertEquals(message, refusal.getMessage());
  }

  private static List<String> ids(Scenario scenario) {
    return scenario.calls().getFirst().payloads().stream().map(Payload::id).toList();
  }

  private Scenario read(String yaml) throws IOException {
    return ScenarioFile.read(Files.writeString(folder.resolve("scenario.yaml"), yaml));
  }
}
