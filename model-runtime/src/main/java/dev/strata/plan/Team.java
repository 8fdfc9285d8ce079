package dev.strata.plan;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// The thread that runs a plan and the helpers that take parts of its large steps.
///
/// Parts are handed out by a counter, so nobody waits for a helper that has not come: whoever is
/// there does them. Helpers watch for the next step for a moment before they sleep, because the
/// steps of a plan follow one another within microseconds. Offering a step allocates nothing and
/// takes no lock. For one plan at a time.
public final class Team implements AutoCloseable {

  /// How long a helper watches: longer than most steps that are not shared, short enough that an
  /// idle server's processors are idle.
  private static final long WATCH_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

  /// Most threads of a team.
  public static final int MOST_THREADS = 64;

  private static final class Helper {
    private final Thread thread;
    private volatile boolean asleep;

    private Helper(Team team, int number) {
      thread =
          Thread.ofPlatform()
              .daemon()
              .name("strata-team-" + number)
              .unstarted(() -> team.help(this));
    }
  }

  /// A part that is worth a helper, in the units of [StepDescription#work]: about 10 microseconds.
  private static final long PART_WORK = 1 << 21;

  private final long partWork;
  private final List<Helper> helpers;
  private volatile SharedStep offered;
  private volatile boolean closed;

  /// @param threads 1 to [#MOST_THREADS], the caller of the plan included
  /// @throws IllegalArgumentException if it is another number
  public Team(int threads) {
    this(threads, PART_WORK);
  }

  /// @param partWork least work of a part
  Team(int threads, long partWork) {
    this.partWork = partWork;
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads: got %d, expected 1 to %d".formatted(threads, MOST_THREADS));
    }
    helpers = IntStream.range(1, threads).mapToObj(number -> new Helper(this, number)).toList();
    helpers.forEach(helper -> helper.thread.start());
  }

  /// Into how many parts a step of this work should fall: one, or enough that every thread has one,
  /// or two for each, so that a thread that comes late leaves more to the others.
  int parts(long work) {
    int threads = helpers.size() + 1;
    long fit = work / partWork;
    return fit < threads ? 1 : Math.toIntExact(Math.min(fit / threads, 2)) * threads;
  }

  /// Calls whoever sleeps; the others see it.
  void offer(SharedStep step) {
    offered = step;
    for (int i = 0; i < helpers.size(); i++) {
      Helper helper = helpers.get(i);
      if (helper.asleep) {
        LockSupport.unpark(helper.thread);
      }
    }
  }

  private void help(Helper self) {
    long since = System.nanoTime();
    while (!closed) {
      SharedStep step = offered;
      if (step != null && step.takeParts()) {
        since = System.nanoTime();
      } else if (System.nanoTime() - since < WATCH_NANOS) {
        Thread.onSpinWait();
      } else {
        sleep(self);
        since = System.nanoTime();
      }
    }
  }

  /// Says so first and looks once more then, so that no offer falls in between.
  private void sleep(Helper self) {
    self.asleep = true;
    SharedStep step = offered;
    if (!closed && (step == null || !step.hasParts())) {
      LockSupport.park(this);
    }
    self.asleep = false;
  }

  /// Ends the helpers. No plan of this team may be running.
  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper.thread);
    }
    boolean interrupted = false;
    for (Helper helper : helpers) {
      while (helper.thread.isAlive()) {
        try {
          helper.thread.join();
        } catch (InterruptedException interruption) {
          interrupted = true;
        }
      }
    }
    offered = null;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
