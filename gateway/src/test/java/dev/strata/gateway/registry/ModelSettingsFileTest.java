package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.QueueSettings;
import dev.strata.gateway.call.ShadowSettings;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSettingsFileTest {

  @TempDir Path directory;

  @Test
  void everyKeyIsUnderstood() throws Exception {
    assertEquals(
        new ModelSettings(
            new VersionPolicy.Specific(Set.of(1L, 3L)),
            Map.of("stable", 1L, "canary", 3L),
            new ModelSettings.Widths(
                Optional.of(new Precision.Exactly(new Bits(6))),
                new Bits(2),
                new Bits(7),
                Optional.of(new Bits(4))),
            new QueueSettings(Duration.ofMillis(5), Duration.ofSeconds(1)),
            new BatchingSettings(
                16, Duration.ofNanos(500_000), List.of(4, 8), BatchingSettings.Padding.EQUAL),
            1 << 20,
            Optional.of(new ShadowSettings(new Bits(7), 0.01, 0.9)),
            new ModelSettings.WarmUp(3, 8),
            2,
            Map.of(3L, URI.create("https://models.example/tiny/3?token=x"))),
        read(
            """
            # which versions are served
            version-policy: {specific: [1, 3]}
            labels:
              stable: 1
              canary: 3
            precision: {default: 6, min: 2, max: 7, required: 4}
            queue: {target: 5ms, limit: 1s}
            batching: {max-rows: 16, max-delay: 500us, preferred-rows: [4, 8], padding: equal}
            cache-bytes: 1048576
            shadow: {bits: 7, share: 0.01, cosine: 0.9}
            warm-up: {runs: 3, rows: 8}
            threads: 2
            source:
              3: https://models.example/tiny/3?token=x
            """));
  }

  @Test
  void whatIsLeftOutIsAsItIsByDefault() throws Exception {
    for (String text : new String[] {"", "# nothing\n", "{}\n", "labels:\nprecision: {}\n"}) {
      assertEquals(ModelSettings.STANDARD, read(text), text);
    }
    assertEquals(new VersionPolicy.All(), read("version-policy: all").versions());
    assertEquals(new VersionPolicy.Latest(2), read("version-policy: {latest: 2}").versions());
  }

  @Test
  void theDefaultMayBeAChoiceOfTheServer() throws Exception {
    assertEquals(new Precision.Auto(BitRange.ALL), standard("auto"));
    assertEquals(new Precision.Cascade(), standard("cascade"));
    assertEquals(
        new Precision.Within(Duration.ofMillis(20), BitRange.ALL), standard("{within: 20ms}"));
  }

  private Precision standard(String value) throws IOException, InvalidSettingsException {
    return read("precision: {default: %s}".formatted(value)).precision().standard().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "labels: {stable: 1|model.yaml: malformed YAML at line 1",
        "labels: {a: 1}\\nlabels: {a: 2}|model.yaml: malformed YAML at line 2",
        "lables: {}|model.yaml: lables: unknown key, expected one of [batching,",
        "[1, 2]|model.yaml: content: got [1,2], expected keys with values",
        "hello|model.yaml: content: got \"hello\", expected keys with values",
        "precision: 4|model.yaml: precision: got 4, expected keys with values",
        "precision: {default: 9}|precision.default: got 9, expected an integer from 1 to 8",
        "precision: {default: 0}|precision.default: got 0, expected an integer from 1 to 8",
        "precision: {min: two}|precision.min: got \"two\", expected an integer from 1 to 8",
        "precision: {min: 2.5}|precision.min: got 2.5, expected an integer from 1 to 8",
        "precision: {bits: 2}|precision.bits: unknown key, expected one of [default, max, min, required]",
        "precision: {default: wide}|precision.default: got \"wide\", expected an integer from 1 to 8, auto",
        "precision: {default: {within: soon}}|precision.default.within: got \"soon\", expected a time",
        "precision: {default: {within: 0ms}}|precision.default.within: got \"0ms\", expected a time",
        "precision: {min: 4, max: 3}|precision.max: got 3, expected at least precision.min, which is 4",
        "queue: {target: 2s, limit: 1s}|queue: got target PT2S and limit PT1S, expected",
        "queue: {limit: 5}|queue.limit: got 5, expected a time such as 20ms",
        "batching: {max-rows: 0}|batching.max-rows: got 0, expected an integer from 1 to 1024",
        "batching: {preferred-rows: [4, 2]}|batching.preferred-rows: got [4, 2], expected ascending",
        "batching: {padding: much}|batching.padding: got \"much\", expected bucket or equal",
        "cache-bytes: 1k|cache-bytes: got \"1k\", expected an integer from 0",
        "version-policy: latest|version-policy: got \"latest\", expected all, {latest: N}",
        "version-policy: {latest: 0}|version-policy.latest: got 0, expected an integer from 1 to",
        "version-policy: {specific: []}|version-policy.specific: got [], expected at least one",
        "version-policy: {specific: 1}|version-policy.specific: got 1, expected a list of integers",
        "version-policy: {specific: [x]}|version-policy.specific[0]: got \"x\", expected an integer",
        "version-policy: {latest: 1, specific: [1]}|version-policy: got",
        "labels: {1: 1}|labels: got the name '1', expected [a-z]",
        "labels: {stable: }|labels.stable: got \"\", expected a version",
        "labels: {stable: newest}|labels.stable: got \"newest\", expected an integer from 1",
        "warm-up: {runs: -1}|warm-up.runs: got -1, expected an integer from 0 to 1000",
        "source: {v1: 'http://h/a'}|source: got 'v1', expected a version",
        "source: {1: 'ftp://h/a'}|source.1: got \"ftp://h/a\", expected an http or https URL",
        "source: {1: /etc/passwd}|source.1: got \"/etc/passwd\", expected an http or https URL",
      })
  void whatIsWrongIsToldWithItsPlace(String text, String message) {
    String yaml = text.replace("\\n", "\n");
    InvalidSettingsException invalid =
        assertThrows(InvalidSettingsException.class, () -> read(yaml));
    assertEquals(
        Optional.empty(), Optional.of(invalid.getMessage()).filter(got -> !got.contains(message)));
  }

  @Test
  void aHugeFileIsNotRead() {
    assertThrows(InvalidSettingsException.class, () -> read("#".repeat(70_000)));
  }

  private ModelSettings read(String text) throws IOException, InvalidSettingsException {
    return ModelSettingsFile.read(Files.writeString(directory.resolve("model.yaml"), text));
  }
}
