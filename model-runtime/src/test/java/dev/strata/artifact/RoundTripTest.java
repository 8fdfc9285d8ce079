package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What goes into an artifact comes out of it.
final class RoundTripTest {
  @TempDir Path folder;

  @Test
  void descriptionAndTensorsComeBackAsTheyWere() throws IOException {
    try (TinyModel perceptron = TinyModels.withSeed(7);
        TinyModel convNet = TinyModels.convNet(7)) {
      for (TinyModel model : List.of(perceptron, convNet)) {
        try (ModelArtifact artifact = ModelArtifact.open(model.writeTo(file("model.strata")))) {
          assertEquals(model.description(), artifact.description());
          assertEquals(Bits.all(), artifact.precisions());
          for (StoredTensor tensor : artifact.tensors()) {
            if (!tensor.isPadding()) {
              MemorySegment stored = artifact.get(tensor.name());
              assertEquals(0, stored.address() % 64, tensor.name());
              assertTrue(stored.isReadOnly(), tensor.name());
              assertEquals(-1, stored.mismatch(model.tensors().get(tensor.name())), tensor.name());
            }
          }
        }
      }
    }
  }

  @Test
  void theSameModelGivesTheSameBytes() throws IOException {
    try (TinyModel one = TinyModels.withSeed(7);
        TinyModel two = TinyModels.withSeed(7);
        TinyModel other = TinyModels.withSeed(8)) {
      byte[] bytes = Files.readAllBytes(one.writeTo(file("one.strata")));
      assertArrayEquals(bytes, Files.readAllBytes(two.writeTo(file("two.strata"))));
      assertFalse(Arrays.equals(bytes, Files.readAllBytes(other.writeTo(file("other.strata")))));
    }
  }

  @Test
  void aProtectedLayerBringsAllItsPlanesInTheFirstSection() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7);
        ModelArtifact artifact = ModelArtifact.open(model.writeTo(file("model.strata")))) {
      assertEquals(List.of("shift", "hidden.groups", "head.groups"), names(artifact, 0));
      assertEquals(
          List.of(
              "hidden.plane.0",
              "hidden.table.1",
              "head.plane.0",
              "head.plane.1",
              "head.plane.2",
              "head.plane.3",
              "head.plane.4",
              "head.plane.5",
              "head.plane.6",
              "head.plane.7",
              "head.table.8"),
          names(artifact, 1));
      assertEquals(List.of("hidden.plane.4", "hidden.table.5"), names(artifact, 5));
      assertEquals(
          8
              * (model.description().graph().layer("hidden").layout().planeBytes()
                  + model.description().graph().layer("head").layout().planeBytes()),
          artifact.planeBytes(artifact.precisions().getLast()));
    }
  }

  @Test
  void aSliceHasTheSectionsOfItsSourceAndNoMore() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7);
        ModelArtifact whole = ModelArtifact.open(model.writeTo(file("model.strata")))) {
      for (Bits bits : Bits.all()) {
        Path file = file("slice-%s.strata".formatted(bits));
        ArtifactSlicer.slice(file("model.strata"), bits, file);
        try (ModelArtifact slice = ModelArtifact.open(file)) {
          assertEquals(bits.count(), slice.precisions().size());
          assertEquals(bits, slice.description().defaultBits());
          assertEquals(Files.size(file), slice.prefixBytes(bits));
          assertTrue(slice.prefixBytes(bits) <= whole.prefixBytes(bits));
          assertEquals(bits.count() + 1, slice.sections().size());
          for (ArtifactSection section : slice.sections()) {
            assertEquals(whole.sections().get(section.index()).sha256(), section.sha256());
          }
          assertEquals(
              bits.count() == 8, slice.find("hidden.plane.7").isPresent(), bits.toString());
        }
      }
      Path narrow = file("slice-3.strata");
      assertThrows(
          IllegalArgumentException.class,
          () -> ArtifactSlicer.slice(narrow, new Bits(4), file("wider.strata")));
    }
  }

  @Test
  void aModelCanBeDescribedAnewInPlace() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      Path file = model.writeTo(file("model.strata"));
      byte[] before = Files.readAllBytes(file);
      ModelDescription changed = renamed(model.description(), "renamed");
      ArtifactWriter.describe(file, changed, Optional.empty(), file);
      try (ModelArtifact artifact = ModelArtifact.open(file)) {
        assertEquals("renamed", artifact.description().name());
        assertArrayEquals(
            model.tensors().get("head.plane.3").toArray(ValueLayout.JAVA_BYTE),
            artifact.get("head.plane.3").toArray(ValueLayout.JAVA_BYTE));
      }
      ArtifactWriter.describe(file, model.description(), Optional.empty(), file);
      assertArrayEquals(before, Files.readAllBytes(file));
    }
  }

  @Test
  void aCascadeStaysAsLongAsBothItsWidthsDo() throws IOException {
    ConfidenceCascade cascade = new ConfidenceCascade(new Bits(2), new Bits(5), 0.35, 0.9, 0.6);
    try (TinyModel model = TinyModels.withSeed(7)) {
      Path file = model.writeTo(file("model.strata"));
      ArtifactWriter.describe(file, model.description(), Optional.of(cascade), file);
      ArtifactWriter.describe(file, renamed(model.description(), "b"), Optional.empty(), file);
      for (Bits bits : Bits.all()) {
        Path slice = file("slice-" + bits);
        ArtifactSlicer.slice(file, bits, slice);
        try (ModelArtifact artifact = ModelArtifact.open(slice)) {
          assertEquals(
              bits.count() >= 5 ? Optional.of(cascade) : Optional.empty(), artifact.cascade());
        }
      }
    }
  }

  @Test
  void aMissingTensorStopsTheWriterAndLeavesNoFile() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7);
        TinyModel other = TinyModels.convNet(7)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> ArtifactWriter.write(file("broken"), other.description(), model.tensors()));
      try (Stream<Path> files = Files.list(folder)) {
        assertEquals(0, files.count());
      }
    }
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  private static List<String> names(ModelArtifact artifact, int section) {
    return artifact.tensors().stream()
        .filter(tensor -> tensor.section() == section && !tensor.isPadding())
        .map(StoredTensor::name)
        .toList();
  }

  private static ModelDescription renamed(ModelDescription description, String name) {
    return new ModelDescription(
        name,
        description.inputs(),
        description.outputs(),
        description.graph(),
        description.preprocessing(),
        description.postprocessing(),
        description.labels(),
        description.defaultBits(),
        description.profiles(),
        Map.of());
  }
}
