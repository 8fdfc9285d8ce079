package dev.strata.trainer.cli;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Optional;

/// Shows on standard error that something long is going on: a bar on a terminal, now and then a
/// line elsewhere, nothing at all when it is over within two seconds.
public final class Progress implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration REDRAW = Duration.ofMillis(200);
  private static final Duration LINE = Duration.ofSeconds(10);
  private static final int WIDTH = 30;

  /// @param total steps until done, 0 when nobody knows
  private record State(String stage, int done, int total) {}

  private final PrintStream out;
  private final boolean terminal;
  private final String subject;
  private final long startNanos = System.nanoTime();
  private final Thread painter;
  private volatile State state = new State("starting", 0, 0);
  private int drawn;

  Progress(PrintStream out, boolean terminal, String subject) {
    this.out = out;
    this.terminal = terminal;
    this.subject = subject;
    this.painter = Thread.ofPlatform().daemon().name("progress").start(this::paint);
  }

  /// @param subject what the work is on, in front of every line
  public static Progress on(String subject) {
    // Without a terminal there may be no console at all, depending on the JDK.
    boolean terminal = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    return new Progress(System.err, terminal, subject);
  }

  /// @param stage what is being done, in a few words
  public void advanced(String stage, int done, int total) {
    state = new State(stage, done, total);
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
      out.flush();
    }
  }

  private void paint() {
    try {
      Thread.sleep(PATIENCE);
      while (true) {
        String line = line(state);
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

  private String line(State now) {
    long seconds = (System.nanoTime() - startNanos) / 1_000_000_000;
    if (now.total() == 0) {
      return "%s: %s, %d s".formatted(subject, now.stage(), seconds);
    }
    int done = Math.min(now.done(), now.total());
    int filled = (int) ((long) done * WIDTH / now.total());
    String bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
    return "%s: %s [%s] %d/%d, %d s"
        .formatted(subject, now.stage(), bar, done, now.total(), seconds);
  }
}
