package dev.strata.trainer.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.artifact.ArtifactSignature;
import dev.strata.artifact.SignatureKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Drives the command line as a user would, on the Fashion-MNIST network.
class CommandLineTest {

  private static final String DATA = "/dev/strata/trainer/repository/";

  @TempDir private static Path folder;

  private record Run(int exitCode, String out, String err) {}

  @BeforeAll
  static void importFashion() throws IOException {
    for (String name :
        new String[] {"fm_resnet8.onnx", "t2k-images-idx3-ubyte.gz", "t2k-labels-idx1-ubyte.gz"}) {
      try (InputStream data = CommandLineTest.class.getResourceAsStream(DATA + name)) {
        Files.copy(data, folder.resolve(name));
      }
    }
    Run run =
        strata(
            "import",
            file("fm_resnet8.onnx"),
            "-o",
            file("fashion.strata"),
            "--image",
            "1x28x28",
            "--mean",
            "0.286",
            "--std",
            "0.353",
            "--softmax",
            "--calibration",
            file("t2k-images-idx3-ubyte.gz"),
            "--calibration-samples",
            "32",
            "--activation-range",
            "percentile:99.99");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
  }

  @Test
  void everyCommandExplainsItself() {
    for (String command :
        new String[] {
          "import", "inspect", "slice", "keygen", "sign", "predict", "eval", "repository"
        }) {
      Run run = strata(command, "--help");
      assertEquals(ExitCode.OK, run.exitCode());
      assertTrue(run.out().contains("Usage: strata " + command), run.out());
      assertTrue(run.out().contains("Exit codes:"), run.out());
    }
  }

  @Test
  void aKeyPairSignsAndVerifies() throws IOException {
    assertEquals(ExitCode.OK, strata("keygen", "-o", file("team")).exitCode());
    Path artifact = folder.resolve("fashion.strata");
    Run signed = strata("sign", artifact.toString(), "--key", file("team.pem"));
    assertEquals(ExitCode.OK, signed.exitCode(), signed.err());
    assertTrue(
        ArtifactSignature.verify(
            ArtifactSignature.signedBytes(artifact),
            Files.readAllBytes(folder.resolve("fashion.strata.sig")),
            SignatureKeys.publicKey(folder.resolve("team.pub"))));
    Run again = strata("keygen", "-o", file("team"));
    assertEquals(ExitCode.USAGE, again.exitCode());
    assertTrue(again.err().contains("keys are not overwritten"), again.err());
    Run wrong = strata("sign", artifact.toString(), "--key", file("team.pub"));
    assertEquals(ExitCode.FAILED, wrong.exitCode());
    assertTrue(wrong.err().contains("team.pub: expected an Ed25519 PRIVATE KEY"), wrong.err());
  }

  @Test
  void inspectShowsThatEachWidthNeedsMoreOfTheFile() throws IOException {
    Run run = strata("inspect", "--json", file("fashion.strata"));
    JsonNode shown = new ObjectMapper().readTree(run.out());
    assertEquals(8, shown.get("precisions").size());
    long before = 0;
    for (JsonNode precision : shown.get("precisions")) {
      long bytes = precision.get("prefixBytes").asLong();
      assertTrue(bytes > before, shown.toPrettyString());
      before = bytes;
    }
    assertEquals(before, Files.size(folder.resolve("fashion.strata")));
    assertTrue(strata("inspect", file("fashion.strata")).out().contains("/stem/Conv"));
  }

  @Test
  void aSliceIsSmallerAndAnswersTheSame() throws IOException {
    strata("slice", file("fashion.strata"), "--bits", "4", "-o", file("small.strata"));
    assertTrue(
        Files.size(folder.resolve("small.strata")) < Files.size(folder.resolve("fashion.strata")));
    Path image = Path.of("..", "docs", "examples", "ankle-boot.png");
    Run whole = predict("fashion.strata", "--bits", "4", "--json", "--image", image.toString());
    Run small = predict("small.strata", "--bits", "4", "--json", "--image", image.toString());
    assertEquals(ExitCode.OK, whole.exitCode(), whole.err());
    assertEquals(whole.out(), small.out());
    assertFalse(whole.out().isEmpty());
  }

  @Test
  void evalMeasuresEveryWidthAndStoresIt() throws IOException {
    Path copy = folder.resolve("measured.strata");
    Files.copy(folder.resolve("fashion.strata"), copy);
    Run run =
        strata(
            "eval",
            copy.toString(),
            "--json",
            "--reference",
            file("fm_resnet8.onnx"),
            "--data",
            file("t2k-images-idx3-ubyte.gz"),
            "--labels",
            file("t2k-labels-idx1-ubyte.gz"),
            "--limit",
            "200");
    JsonNode measured = new ObjectMapper().readTree(run.out());
    assertTrue(measured.get("8").get("agreement_fp32").asDouble() >= 0.98, run.out());
    assertTrue(measured.get("8").get("accuracy").asDouble() >= 0.85, run.out());
    JsonNode shown =
        new ObjectMapper().readTree(strata("inspect", "--json", copy.toString()).out());
    assertEquals(
        measured.get("4"), shown.get("precisions").get(3).get("quality"), shown.toPrettyString());
  }

  @Test
  void mistakesAreOneSentenceAndAnExitCode() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "hello");
    assertFails(ExitCode.BAD_INPUT, "there is no file", strata("inspect", file("missing")));
    assertFails(ExitCode.BAD_INPUT, "text.txt", strata("inspect", text.toString()));
    assertFails(
        ExitCode.BAD_INPUT,
        "input 'image'[0]: got 5 bytes that are neither PNG nor JPEG",
        predict("fashion.strata", "--image", text.toString()));
    assertFails(ExitCode.USAGE, "expected 1 to 8 bits", predict("fashion.strata", "--bits", "9"));
    assertFails(ExitCode.USAGE, "Missing command", strata());
    assertFails(
        ExitCode.BAD_INPUT,
        "not an ONNX file",
        strata("import", text.toString(), "-o", file("none.strata")));
    assertFails(
        ExitCode.USAGE,
        "got 'percentile:50', expected mse, or percentile:P",
        strata("import", "a.onnx", "-o", "b.strata", "--activation-range", "percentile:50"));
  }

  @Test
  void progressIsSilentWhenTheWorkIsShort() {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    try (Progress progress =
        new Progress(new PrintStream(shown, true, StandardCharsets.UTF_8), true, "work")) {
      progress.advanced("stage", 1, 2);
    }
    assertEquals("", shown.toString(StandardCharsets.UTF_8));
  }

  @Test
  void numbersAreAlignedToTheRight() {
    Table table = new Table("name", "bytes");
    table.row("a", "1,000");
    table.row("long name", 7);
    assertEquals(
        """
        name       bytes
        ---------  -----
        a          1,000
        long name      7
        """,
        table.toString());
  }

  private static void assertFails(int exitCode, String message, Run run) {
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
  }

  private static Run predict(String artifact, String... options) {
    String[] arguments = new String[options.length + 2];
    arguments[0] = "predict";
    arguments[1] = file(artifact);
    System.arraycopy(options, 0, arguments, 2, options.length);
    return strata(arguments);
  }

  private static String file(String name) {
    return folder.resolve(name).toString();
  }

  private static Run strata(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode = StrataCommand.run(new PrintWriter(out), new PrintWriter(err), arguments);
    return new Run(exitCode, out.toString(), err.toString());
  }
}
