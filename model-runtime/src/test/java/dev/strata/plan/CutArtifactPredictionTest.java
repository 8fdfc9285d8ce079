package dev.strata.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.strata.artifact.ArtifactSlicer;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file that ends with section b is the b-bit model: it answers as the whole file does when that
/// is asked for b bits.
final class CutArtifactPredictionTest {
  private static final int SAMPLES = 5;

  @TempDir Path folder;

  @Test
  void aCutPerceptronAnswersBitForBitLikeTheWholeAtEveryWidth() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      compare(model);
    }
  }

  @Test
  void aCutImageNetworkAnswersBitForBitLikeTheWholeAtEveryWidth() throws IOException {
    try (TinyModel model = TinyModels.convNet(7)) {
      compare(model);
    }
  }

  private void compare(TinyModel model) throws IOException {
    Path whole = model.writeTo(folder.resolve("whole.strata"));
    byte[] widest = answer(whole, new Bits(Bits.MAX));
    for (Bits stored : Bits.all()) {
      Path cut = cut(whole, stored);
      Path slice = folder.resolve("slice-%s.strata".formatted(stored));
      ArtifactSlicer.slice(whole, stored, slice);
      for (Bits asked : Bits.all().subList(0, stored.count())) {
        byte[] expected = answer(whole, asked);
        String which = "%s bits of a file of %s".formatted(asked, stored);
        assertArrayEquals(expected, answer(cut, asked), which + ", cut");
        assertArrayEquals(expected, answer(slice, asked), which + ", sliced");
        assertEquals(
            asked.count() == Bits.MAX,
            Arrays.equals(expected, widest),
            "a narrower model answers otherwise: " + which);
      }
    }
  }

  private Path cut(Path whole, Bits bits) throws IOException {
    Path cut = folder.resolve("cut-%s.strata".formatted(bits));
    Files.copy(whole, cut);
    try (ModelArtifact artifact = ModelArtifact.open(whole);
        FileChannel channel = FileChannel.open(cut, StandardOpenOption.WRITE)) {
      channel.truncate(artifact.prefixBytes(bits));
    }
    return cut;
  }

  /// @return the bytes of all outputs for one batch of random inputs, always the same
  private static byte[] answer(Path file, Bits bits) throws IOException {
    try (ModelArtifact artifact = ModelArtifact.open(file);
        Arena arena = Arena.ofShared()) {
      ModelDescription description = artifact.description();
      ExecutablePlan plan =
          Planner.plan(
              description.graph(), Optional.of(description.profile(bits)), artifact, arena);
      try (ExecutionContext context = plan.newContext()) {
        TensorSpec input = description.graph().inputs().getFirst();
        Map<String, Tensor> outputs = context.run(Map.of(input.name(), random(input.shape())));
        assertEquals(List.copyOf(outputs.keySet()), description.graph().outputs());
        Tensor output = outputs.get(description.graph().outputs().getFirst());
        for (float value : output.toFloats()) {
          assertFalse(Float.isNaN(value));
        }
        return output.data().toArray(ValueLayout.JAVA_BYTE);
      }
    }
  }

  private static Tensor random(Shape variable) {
    long[] dims = variable.toArray();
    dims[0] = SAMPLES;
    Shape shape = Shape.of(dims);
    return Tensor.of(
        shape, TinyModels.gaussian(new Random(11), Math.toIntExact(shape.elements()), 1));
  }
}
