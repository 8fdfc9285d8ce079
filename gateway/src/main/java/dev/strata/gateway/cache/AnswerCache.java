package dev.strata.gateway.cache;

import dev.strata.graph.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// The answers of one loaded model that were used last, within a bound on their bytes. Any thread.
public final class AnswerCache {

  /// What a key, its entry and the tensors' own objects take, roughly.
  private static final long ENTRY_BYTES = 512;

  /// @param outputs by name; nobody changes them
  public record Answer(Map<String, Tensor> outputs, OptionalDouble margin) {

    long bytes() {
      return ENTRY_BYTES
          + outputs.values().stream().mapToLong(output -> output.data().byteSize()).sum();
    }
  }

  private final long capacityBytes;
  private final Map<AnswerKey, Answer> answers = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /// @param capacityBytes most bytes of answers; 0 keeps none
  public AnswerCache(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  long capacityBytes() {
    return capacityBytes;
  }

  public synchronized Optional<Answer> get(AnswerKey key) {
    return Optional.ofNullable(answers.get(key));
  }

  /// Keeps an answer, and drops those that have not been used for longest to make room. One that
  /// is too large for the whole cache is not kept.
  public synchronized void put(AnswerKey key, Answer answer) {
    if (answer.bytes() > capacityBytes) {
      return;
    }
    Answer before = answers.put(key, answer);
    bytes += answer.bytes() - (before == null ? 0 : before.bytes());
    while (bytes > capacityBytes) {
      bytes -= answers.remove(answers.keySet().iterator().next()).bytes();
    }
  }

  public synchronized long bytes() {
    return bytes;
  }
}
