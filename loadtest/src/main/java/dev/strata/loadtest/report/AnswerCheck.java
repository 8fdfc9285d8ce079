package dev.strata.loadtest.report;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.wire.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// Whether the same input gets the same bytes. An answer at a width does not depend on the batch it
/// ran in, the protocol or the machine, so that the first answer to an input at a width holds for
/// the whole run, and a recorded one for every run.
public final class AnswerCheck {
  private final Map<String, String> digests;

  private AnswerCheck(Map<String, String> digests) {
    this.digests = new TreeMap<>(digests);
  }

  /// Knows no answer yet.
  public static AnswerCheck fresh() {
    return new AnswerCheck(Map.of());
  }

  /// Knows the answers of an earlier run.
  public static AnswerCheck recorded(Path file) throws IOException {
    return new AnswerCheck(
        new ObjectMapper().readValue(file.toFile(), new TypeReference<Map<String, String>>() {}));
  }

  public void record(Path file) throws IOException {
    byte[] json =
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(digests);
    Files.write(file, json);
  }

  /// @return false if the input was answered otherwise before at this width
  boolean accepts(Call call, int variant, Outcome.Answered answer) {
    String key =
        "%s/%s %s at %d bits"
            .formatted(
                call.model(), answer.version(), call.payloads().get(variant).id(), answer.bits());
    String known = digests.putIfAbsent(key, answer.digest());
    return known == null || known.equals(answer.digest());
  }
}
