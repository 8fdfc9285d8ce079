package dev.strata.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.loadtest.bench.GatewayProcess;
import dev.strata.loadtest.report.ReportFiles;
import dev.strata.loadtest.report.RunSummary;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A short load on the packaged gateway: no request may be lost or answered wrongly.
final class LoadTestIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  @TempDir private static Path work;

  private static GatewayProcess gateway;

  @BeforeAll
  static void start() throws Exception {
    gateway =
        GatewayProcess.start(
            new GatewayProcess.Setup(
                ROOT,
                List.of(ROOT.resolve("gateway/src/main/repository")),
                Map.of(),
                OptionalInt.empty()));
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @Test
  void noRequestIsLostOrAnsweredWrongly() throws IOException {
    Path json = work.resolve("run.json");
    Path answers = work.resolve("answers.json");
    loadtest(0, "--json", json.toString(), "--record", answers.toString());

    RunSummary summary = ReportFiles.read(json);
    assertTrue(summary.sent() > 200, "requests sent: " + summary.sent());
    assertEquals(Map.of(), summary.failed());
    assertEquals(
        summary.sent(), summary.answered() + summary.refusedTotal(), () -> "" + summary.refused());
    assertEquals(8, summary.rows().size(), "calls: four widths over two protocols");

    loadtest(0, "--check", answers.toString());
    Files.writeString(answers, Files.readString(answers).replaceFirst("(bits\" : \")..", "$1zz"));
    loadtest(1, "--check", answers.toString());
  }

  private static void loadtest(int exitCode, String... options) {
    StringWriter said = new StringWriter();
    PrintWriter printer = new PrintWriter(said);
    String[] arguments = new String[options.length + 6];
    arguments[0] = "run";
    arguments[1] = ROOT.resolve("loadtest/scenarios/garments.yaml").toString();
    arguments[2] = "--rest";
    arguments[3] = gateway.target().rest();
    arguments[4] = "--grpc";
    arguments[5] = gateway.target().grpc();
    System.arraycopy(options, 0, arguments, 6, options.length);
    int code = LoadTestCommand.run(printer, printer, arguments);
    assertEquals(exitCode, code, said.toString());
  }
}
