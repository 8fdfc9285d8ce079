package dev.strata.trainer.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// Shows on standard error that something long is going on: a bar on a terminal, now and then a
/// line elsewhere, nothing at all when it is over within two seconds.
public final class Progress implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration REDRAW = Duration.ofMillis(200);
  private static final Duration LINE = Duration.ofSeconds(10);
  private static final int WIDTH = 30;

  private final PrintStream out;
  private final boolean terminal;
  private final String label;
  private final long total;
  private final AtomicLong done = new AtomicLong();
  private final long startNanos = System.nanoTime();
  private final Thread painter;
  private int drawn;

  private Progress(PrintStream out, boolean terminal, String label, long total) {
    this.out = out;
    this.terminal = terminal;
    this.label = label;
    this.total = total;
    this.painter = Thread.ofVirtual().name("progress").start(this::paint);
  }

  /// @param total steps until done, 0 when nobody knows
  public static Progress start(String label, long total) {
    boolean terminal = System.console() != null && System.console().isTerminal();
    return new Progress(System.err, terminal, label, total);
  }

  public void advance() {
    done.incrementAndGet();
  }

  public void reach(long steps) {
    done.set(steps);
  }

  @Override
  public void close() {
    painter.interrupt();
    try {
      painter.join();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    if (drawn > 0) {
      out.print("\r" + " ".repeat(drawn) + "\r");
    }
  }

  private void paint() {
    try {
      Thread.sleep(PATIENCE);
      while (true) {
        String line = line();
        if (terminal) {
          out.print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
          drawn = Math.max(drawn, line.length());
        } else {
          out.println(line);
        }
        out.flush();
        Thread.sleep(terminal ? REDRAW : LINE);
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }

  private String line() {
    long seconds = (System.nanoTime() - startNanos) / 1_000_000_000;
    if (total == 0) {
      return "%s ... %d s".formatted(label, seconds);
    }
    long steps = Math.min(done.get(), total);
    int filled = (int) (steps * WIDTH / total);
    String bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
    return "%s [%s] %d/%d, %d s".formatted(label, bar, steps, total, seconds);
  }
}
