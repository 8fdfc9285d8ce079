package dev.strata.gateway.scheduling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;

/// Which requests of several widths are computed together.
class WidenedBatchTest {

  private static final Bits FOUR = new Bits(4);
  private static final Bits EIGHT = new Bits(8);
  private static final int LENGTH_CLASS = 6;
  private static final long MILLI = 1_000_000;

  private final FakeModel model = new FakeModel(inputs -> inputs, BatchingSettings.STANDARD);
  private final ModelQueue queue = new ModelQueue(model);
  private long arrivals;

  @Test
  void aWiderBatchTakesInWhatItMayWiden() {
    measured(rows -> 10 + rows);
    add(EIGHT, EIGHT, 1);
    add(FOUR, EIGHT, 2);
    add(FOUR, FOUR, 3);
    assertEquals("8: 1 2", taken());
    assertEquals("4: 3", taken());
  }

  @Test
  void theFirstGoesIntoAWiderBatchRatherThanMakingItWait() {
    measured(rows -> 10 + rows);
    add(FOUR, EIGHT, 1);
    add(EIGHT, EIGHT, 2);
    assertEquals("8: 2 1", taken());
  }

  @Test
  void nobodyIsComputedAtFewerBitsThanPromised() {
    measured(rows -> 10 + rows);
    add(FOUR, FOUR, 1);
    add(EIGHT, EIGHT, 2);
    assertEquals("4: 1", taken());
    assertEquals("8: 2", taken());
  }

  @Test
  void nobodyIsWidenedWhereThatTakesLonger() {
    measured(rows -> 10L * rows);
    add(EIGHT, EIGHT, 1);
    add(FOUR, EIGHT, 2);
    assertEquals("8: 1", taken());
    assertEquals("4: 2", taken());
  }

  @Test
  void aFullBatchTakesInNobody() {
    measured(rows -> 10 + rows);
    add(FOUR, EIGHT, 1);
    for (int i = 2; i <= 9; i++) {
      add(EIGHT, EIGHT, i);
    }
    assertEquals("4: 1", taken());
    assertEquals("8: 2 3 4 5 6 7 8 9", taken());
  }

  @Test
  void nobodyIsTakenInWhoWouldBeLate() {
    measured(rows -> 10 + rows);
    add(EIGHT, EIGHT, 1);
    queue.add(pending(FOUR, EIGHT, 2, OptionalLong.of(8 * MILLI)));
    assertEquals("4: 2", taken());
    assertEquals("8: 1", taken());
  }

  /// Every size, twice as long at 8 bits as at 4.
  private void measured(ToLongFunction<Integer> millis) {
    for (int rows : List.of(1, 2, 4, 8)) {
      for (int i = 0; i < 40; i++) {
        long nanos = millis.applyAsLong(rows) * MILLI;
        queue.times.record(EIGHT, new Workload(rows, LENGTH_CLASS), new Took(nanos, nanos), 0);
        queue.times.record(
            FOUR, new Workload(rows, LENGTH_CLASS), new Took(nanos / 2, nanos / 2), 0);
      }
    }
  }

  private void add(Bits bits, Bits ceiling, int mark) {
    queue.add(pending(bits, ceiling, mark, OptionalLong.empty()));
  }

  private Pending pending(Bits bits, Bits ceiling, int mark, OptionalLong deadline) {
    Job job =
        new Job(
            model,
            bits,
            ceiling,
            new Workload(1, LENGTH_CLASS),
            Map.of(),
            new Urgency(Priority.NORMAL, deadline, Optional.empty()),
            new Cancellation());
    assertEquals(arrivals++, mark - 1);
    return Pending.of(job, mark, mark, new CompletableFuture<>());
  }

  private String taken() {
    Batch batch = queue.take(0, new ArrayList<>()).orElseThrow();
    StringBuilder text = new StringBuilder(batch.bits() + ":");
    batch.members().forEach(member -> text.append(' ').append(member.number()));
    return text.toString();
  }
}
