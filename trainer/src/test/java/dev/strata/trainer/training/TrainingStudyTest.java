package dev.strata.trainer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import dev.strata.precision.Bits;
import dev.strata.trainer.data.IdxFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A study of a very small network on images whose left or right half is bright.
class TrainingStudyTest {
  private static final int SIDE = 6;

  @TempDir Path folder;

  @Test
  void aRunIsMadeInEveryWayAndOnlyWhatIsMissingIsTrained() throws IOException {
    Path data = data();
    RunFile run = run(data, 2);
    Path work = folder.resolve("work");
    Set<String> trained = new TreeSet<>();

    TrainingStudy.Outcome outcome = execute(run, work, trained);

    assertEquals(Set.of("once-qat", "truncation", "dedicated-2", "fp32"), trained);
    assertEquals(Set.of(new Bits(8), new Bits(2)), outcome.dedicated().keySet());
    assertEquals("[2]", outcome.dedicated().get(new Bits(2)).provenance().get("training.widths"));
    assertEquals(outcome.truncated(), outcome.dedicated().get(new Bits(8)));
    assertTrue(outcome.floats().provenance().containsKey("quality.fp32.accuracy"));
    assertTrue(outcome.once().seconds() > 0);
    assertTrue(
        outcome.once().accuracies().get(new Bits(8)) > 0.9,
        "halves are easy to tell: " + outcome.once().accuracies());

    trained.clear();
    Files.delete(work.resolve("halves-fp32.strata"));
    assertEquals(outcome.once(), execute(run, work, trained).once());
    assertEquals(Set.of("fp32"), trained);

    trained.clear();
    RunFile oneBitLess =
        RunFile.parse(run.text().replace("name: halves", "name: less").replace("[8, 2]", "[8, 1]"));
    execute(oneBitLess, work, trained);
    assertEquals(Set.of("once-qat", "dedicated-1"), trained, "the others are those of the study");
    assertTrue(Files.exists(work.resolve("less-once-qat.strata")));

    trained.clear();
    execute(run(data, 3), work, trained);
    assertEquals(4, trained.size(), "another schedule is another study");
  }

  @Test
  void normsForgetWhatTrainingLeft() throws IOException {
    Path data = data();
    RunFile run = run(data, 1);
    Images images = TrainingData.read(run.data(), folder).train();
    TrainedNetwork network = new TrainedNetwork(Architecture.build(run.network(), images, 2), run);
    String mean = TrainedNetwork.norm(network.graph().layers().get(1), new Bits(2).count(), "mean");
    Training training = new Training(network, images, 2, Runnable::run);
    try (NDManager memory = TorchEngine.start(1)) {
      training.epoch(memory, 0, (_, _, _, _, _) -> {});
      training.settleNorms(memory);
      float[] settled = network.state().get(mean).clone();
      Arrays.fill(network.state().get(mean), 1000f);
      training.settleNorms(memory);
      assertArrayEquals(settled, network.state().get(mean), 1e-4f);
    }
  }

  @Test
  void aStudyNeedsARunForSeveralWidths() {
    RunFile one = RunFile.parse("{name: a, method: dedicated, widths: [4]}");
    InvalidRunException told =
        assertThrows(InvalidRunException.class, () -> new TrainingStudy(one, folder, folder));
    assertTrue(told.getMessage().startsWith("method: got dedicated"));
  }

  @Test
  void theSameRunInOtherWordsIsTheSame() {
    RunFile run = RunFile.parse("{name: a, seed: 1, widths: [8, 2], objective: sandwich}");
    RunFile alone = run.with(RunFile.Method.DEDICATED, List.of(2));
    assertTrue(
        alone.trainsLike(RunFile.parse("name: a\nmethod: dedicated\nwidths: [2]\nobjective: sum")));
    assertFalse(alone.trainsLike(RunFile.parse("name: a\nmethod: dedicated\nwidths: [3]")));
    String one = "{name: %s, method: %s, widths: [%d], least-activation-bits: %d}";
    RunFile two = RunFile.parse(one.formatted("a", "dedicated", 2, 1));
    assertTrue(two.trainsLike(RunFile.parse(one.formatted("b", "dedicated", 2, 2))));
    assertFalse(two.trainsLike(RunFile.parse(one.formatted("b", "dedicated", 2, 3))));
    RunFile cut = RunFile.parse(one.formatted("a", "truncation", 8, 1));
    assertFalse(
        cut.trainsLike(RunFile.parse(one.formatted("a", "truncation", 8, 2))),
        "narrower widths are cut with their own activations");
  }

  private static TrainingStudy.Outcome execute(RunFile run, Path work, Set<String> trained)
      throws IOException {
    return new TrainingStudy(run, work, work)
        .execute(
            (stage, _, _) -> {
              if (stage.contains(": epoch")) {
                trained.add(stage.substring(stage.indexOf(", ") + 2, stage.indexOf(':')));
              }
            });
  }

  private static RunFile run(Path data, int epochs) {
    return RunFile.parse(
        """
        name: halves
        threads: 1
        data: {source: idx, path: %s}
        architecture: {kind: resnet-8, channels: 4}
        widths: [8, 2]
        least-activation-bits: 2
        schedule: {epochs: %d, batch: 16, learning-rate: 0.1}
        """
            .formatted(data, epochs));
  }

  private Path data() throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    write(data, "train", 64);
    write(data, "t10k", 32);
    return data;
  }

  private static void write(Path data, String part, int count) throws IOException {
    SplittableRandom random = new SplittableRandom(count);
    IdxFiles.write(
        data,
        part,
        count,
        SIDE,
        image -> image % 2,
        (label, x, _) -> (x < SIDE / 2 == (label == 0) ? 150 : 0) + random.nextInt(100));
  }
}
