package dev.strata.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.artifact.ArtifactSlicer;
import dev.strata.artifact.ArtifactWriter;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.plan.ExecutionStoppedException;
import dev.strata.plan.PlanProfile;
import dev.strata.plan.StepDescription;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayeredModelTest {

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void writeTinyModel() throws IOException {
    file = folder.resolve("tiny.strata");
    try (TinyModel tiny = TinyModels.withSeed(7)) {
      ArtifactWriter.write(file, tiny.description(), tiny.tensors());
    }
  }

  @Test
  void aPrefixOfTheFileAnswersLikeTheWholeFileAskedForThatWidth() throws IOException {
    Map<String, Tensor> inputs = inputs(3);
    try (LayeredModel whole = LayeredModel.open(file);
        LayeredModel.Session session = whole.newSession()) {
      byte[] bytes = Files.readAllBytes(file);
      for (Bits bits : whole.precisions()) {
        Path cut = folder.resolve("cut-" + bits);
        Files.write(cut, Arrays.copyOf(bytes, Math.toIntExact(whole.prefixBytes(bits))));
        Path slice = folder.resolve("slice-" + bits);
        ArtifactSlicer.slice(file, bits, slice);
        byte[] expected = answer(session, bits, inputs);
        assertArrayEquals(expected, answer(cut, bits, inputs), "cut at " + bits);
        assertArrayEquals(expected, answer(slice, bits, inputs), "slice of " + bits);
      }
    }
  }

  @Test
  void aBatchAnswersLikeItsRequestsAlone() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      float[] rows = inputs(5).get("x").toFloats();
      for (Bits bits : model.precisions()) {
        byte[] together = answer(session, bits, inputs(5));
        for (int row = 0; row < 5; row++) {
          Tensor one =
              Tensor.of(Shape.of(1, 16), Arrays.copyOfRange(rows, row * 16, row * 16 + 16));
          byte[] alone = answer(session, bits, Map.of("x", one));
          assertArrayEquals(
              Arrays.copyOfRange(together, row * alone.length, (row + 1) * alone.length), alone);
        }
      }
    }
  }

  @Test
  void requestsComputedTogetherAreAnsweredLikeEachAlone() throws IOException {
    Path conv = folder.resolve("conv.strata");
    try (TinyModel tiny = TinyModels.convNet(7)) {
      tiny.writeTo(conv);
    }
    for (Path path : List.of(file, conv)) {
      try (LayeredModel model = LayeredModel.open(path);
          LayeredModel.Session session = model.newSession()) {
        List<Map<String, Tensor>> requests =
            IntStream.of(1, 3, 1, 2, 5).mapToObj(rows -> randomInputs(model, rows)).toList();
        List<PreparedInput> prepared = requests.stream().map(model::prepare).toList();
        for (Bits bits : model.precisions()) {
          List<Prediction> together = session.predict(bits, prepared, true, () -> false);
          for (int i = 0; i < requests.size(); i++) {
            assertArrayEquals(
                answer(session, bits, requests.get(i)),
                together.get(i).outputs().get("y").data().toArray(ValueLayout.JAVA_BYTE),
                "request %d at %s bits".formatted(i, bits));
          }
        }
      }
    }
  }

  @Test
  void widthsThatShareTheirScratchMemoryDoNotDisturbOneAnother() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      for (int rows : new int[] {1, 60, 3, 200, 1}) {
        for (int bits : new int[] {2, 8, 5}) {
          try (LayeredModel.Session alone = model.newSession()) {
            assertArrayEquals(
                alone.predict(new Bits(bits), inputs(rows)).outputs().get("y").toFloats(),
                session.predict(new Bits(bits), inputs(rows)).outputs().get("y").toFloats());
          }
        }
      }
    }
  }

  @Test
  void aRunThatNobodyWantsStopsAtTheNextStep() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      PreparedInput input = model.prepare(inputs(1));
      AtomicInteger asked = new AtomicInteger();
      assertThrows(
          ExecutionStoppedException.class,
          () ->
              session.predict(
                  new Bits(4), List.of(input), false, () -> asked.incrementAndGet() == 2));
      assertEquals(2, asked.get(), "not asked again once it was over");
      assertArrayEquals(
          answer(file, new Bits(4), inputs(1)), answer(session, new Bits(4), inputs(1)));
    }
  }

  @Test
  void widthsDiffer() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      byte[] eight = answer(session, new Bits(8), inputs(1));
      byte[] one = answer(session, new Bits(1), inputs(1));
      assertTrue(!Arrays.equals(eight, one), "1 bit answers like 8 bits");
    }
  }

  @Test
  void aProfileNamesEveryStepAndTheTimeItTook() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      AtomicLong ticks = new AtomicLong();
      List<PlanProfile> profiles =
          session.profile(new Bits(1), inputs(1), () -> ticks.getAndAdd(7));
      assertEquals(1, profiles.size());
      PlanProfile profile = profiles.getFirst();
      List<StepDescription> steps = profile.plan().steps();
      assertEquals(Collections.nCopies(steps.size(), 7L), profile.nanos());
      assertTrue(profile.plan().activationBytes() > 0);
      assertTrue(steps.stream().noneMatch(step -> step.shape().isEmpty()), steps::toString);
      assertTrue(steps.stream().allMatch(step -> step.activationBytes() > 0), steps::toString);
      List<StepDescription> products =
          steps.stream().filter(step -> step.multiplyAdds() > 0).toList();
      assertTrue(products.stream().allMatch(step -> step.weightBytes() > 0), products::toString);
      assertTrue(products.stream().anyMatch(step -> step.planes() == 1), products::toString);
    }
  }

  @Test
  void inputsThatDoNotFitAreTheCallersFault() throws IOException {
    try (LayeredModel model = LayeredModel.open(file);
        LayeredModel.Session session = model.newSession()) {
      Map<String, Tensor> wide = Map.of("x", Tensor.of(Shape.of(1, 17), new float[17]));
      InvalidInputException refused =
          assertThrows(InvalidInputException.class, () -> session.predict(new Bits(4), wide));
      assertEquals("input 'x': got shape [1, 17], expected [-1, 16]", refused.getMessage());
    }
  }

  @Test
  void aSlicedModelDoesNotHaveTheWidthsItLost() throws IOException {
    Path slice = folder.resolve("slice");
    ArtifactSlicer.slice(file, new Bits(2), slice);
    try (LayeredModel model = LayeredModel.open(slice);
        LayeredModel.Session session = model.newSession()) {
      assertThrows(IllegalArgumentException.class, () -> session.predict(new Bits(3), inputs(1)));
    }
  }

  @Test
  void aModelInUseRefusesToClose() throws IOException {
    LayeredModel model = LayeredModel.open(file);
    LayeredModel.Session session = model.newSession();
    assertThrows(IllegalStateException.class, model::close);
    session.predict(new Bits(8), inputs(1));
    session.close();
    model.close();
    model.close();
    assertThrows(IllegalStateException.class, model::newSession);
    assertThrows(IllegalStateException.class, () -> session.predict(new Bits(8), inputs(1)));
  }

  private static byte[] answer(Path path, Bits bits, Map<String, Tensor> inputs)
      throws IOException {
    try (LayeredModel model = LayeredModel.open(path);
        LayeredModel.Session session = model.newSession()) {
      return answer(session, bits, inputs);
    }
  }

  private static byte[] answer(
      LayeredModel.Session session, Bits bits, Map<String, Tensor> inputs) {
    Tensor output = session.predict(bits, inputs).outputs().get("y");
    return output.data().toArray(ValueLayout.JAVA_BYTE);
  }

  private static Map<String, Tensor> randomInputs(LayeredModel model, int rows) {
    TensorSpec spec = model.description().inputs().getFirst();
    long[] dims = spec.shape().toArray();
    dims[0] = rows;
    Shape shape = Shape.of(dims);
    float[] values = TinyModels.gaussian(new Random(rows), Math.toIntExact(shape.elements()), 1);
    return Map.of(spec.name(), Tensor.of(shape, values));
  }

  private static Map<String, Tensor> inputs(int rows) {
    float[] values = TinyModels.gaussian(new Random(rows), rows * 16, 1);
    return Map.of("x", Tensor.of(Shape.of(rows, 16), values));
  }
}
