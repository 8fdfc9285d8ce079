package dev.strata.trainer.repository;

import dev.strata.artifact.CorruptArtifactException;
import dev.strata.artifact.ModelArtifact;
import dev.strata.trainer.quantize.QuantizationProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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

  /// Whether a draft should come first: nothing is there yet, and the model takes long.
  public boolean wantsDraft(EmbeddedModel model) {
    return model.hasDraft() && !Files.exists(artifact(model));
  }

  /// Imports one model and measures it.
  ///
  /// @param draft without what takes minutes; not up to date, so that a later call replaces it
  public void prepare(EmbeddedModel model, boolean draft, QuantizationProgress progress)
      throws IOException {
    try (ImportFolder work = ImportFolder.create()) {
      EmbeddedModel.Recipe full = model.recipe(packages, work.path());
      EmbeddedModel.Recipe recipe = draft ? full.draft() : full;
      Path made = artifact(model);
      Files.createDirectories(made.getParent());
      recipe.steps().run(made, recipe.evaluation(), progress);
    }
  }
}
