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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A short load on the packaged gateway: no request may be lost or answered wrongly.
final class LoadTestIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Path GARMENTS = ROOT.resolve("loadtest/scenarios/garments.yaml");

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
    loadtest(0, "run", GARMENTS, "--json", json.toString(), "--record", answers.toString());

    RunSummary summary = ReportFiles.read(json);
    assertTrue(summary.sent() > 200, "requests sent: " + summary.sent());
    assertEquals(Map.of(), summary.failed());
    assertEquals(
        summary.sent(), summary.answered() + summary.refusedTotal(), () -> "" + summary.refused());
    assertEquals(8, summary.rows().size(), "calls: four widths over two protocols");

    loadtest(0, "run", GARMENTS, "--check", answers.toString());
    Files.writeString(answers, Files.readString(answers).replaceFirst("(bits\" : \")..", "$1zz"));
    loadtest(1, "run", GARMENTS, "--check", answers.toString());
  }

  @Test
  void aKneeIsFoundForEachWidth() throws IOException {
    Path html = work.resolve("knee.html");
    String said =
        loadtest(
            0,
            "knee",
            GARMENTS,
            "--bits",
            "8,2",
            "--p99",
            "2000",
            "--rate",
            "20",
            "--seconds",
            "0.2",
            "--html",
            html.toString());

    for (String wish : List.of("bits=8", "bits=2")) {
      assertTrue(
          said.lines().anyMatch(line -> line.matches("fashion over gRPC +" + wish + ".*")), said);
    }
    assertEquals(1 + 2 * 2, said.lines().count(), said);
    assertEquals(3, Files.readString(html).split("<svg", -1).length - 1);
  }

  @Test
  void aKneeOfNothingSaysWhy() throws IOException {
    Path file = work.resolve("nobody.yaml");
    Files.writeString(
        file,
        """
        calls: [{model: nobody, input: {name: image, texts: [""]}}]
        phases: [{seconds: 1, rate: 1}]
        """);

    String said = loadtest(0, "knee", file, "--p99", "100", "--rate", "20", "--seconds", "0.2");

    assertTrue(said.contains("refused: NOT_FOUND x "), said);
  }

  private static String loadtest(int exitCode, String command, Path scenario, String... options) {
    StringWriter said = new StringWriter();
    PrintWriter printer = new PrintWriter(said);
    List<String> arguments =
        Stream.concat(
                Stream.of(
                    command,
                    scenario.toString(),
                    "--rest",
                    gateway.target().rest(),
                    "--grpc",
                    gateway.target().grpc()),
                Stream.of(options))
            .toList();
    int code = LoadTestCommand.run(printer, printer, arguments.toArray(String[]::new));
    assertEquals(exitCode, code, said.toString());
    return said.toString();
  }
}
