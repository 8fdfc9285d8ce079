package dev.strata.trainer.repository;

import dev.strata.artifact.CorruptArtifactException;
import dev.strata.artifact.ModelArtifact;
import dev.strata.trainer.quantize.QuantizationProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/// Makes the embedded models: `TARGET/NAME/1/model.strata`, each complete or absent.
public final class EmbeddedRepository {

  private final Path packages;
  private final Path target;

  /// @param packages folder of the Maven packages that bring the networks
  /// @param target folder of the model repository
  public EmbeddedRepository(Path packages, Path target) {
    this.packages = packages;
    this.target = target;
  }

  public Path artifact(EmbeddedModel model) {
    return target.resolve(model.modelName()).resolve("1").resolve("model.strata");
  }

  /// @return whether the model is there and made by this recipe
  public boolean isUpToDate(EmbeddedModel model) throws IOException {
    Path file = artifact(model);
    if (!Files.exists(file)) {
      return false;
    }
    try (ModelArtifact artifact = ModelArtifact.open(file)) {
      return model
          .revision()
          .equals(artifact.description().provenance().get(EmbeddedModel.REVISION_KEY));
    } catch (CorruptArtifactException damaged) {
      return false;
    }
  }

  /// Imports one model and measures it.
  public void prepare(EmbeddedModel model, QuantizationProgress progress) throws IOException {
    Path work = Files.createTempDirectory("strata-import");
    try {
      EmbeddedModel.Recipe recipe = model.recipe(packages, work);
      Path made = artifact(model);
      Files.createDirectories(made.getParent());
      recipe.steps().run(made, recipe.evaluation(), progress);
    } finally {
      delete(work);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
