package dev.strata.testing;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelDescription;
import java.io.IOException;
import java.nio.file.Path;

/// A small layered model in memory; closing it frees its tensors.
public record TinyModel(ModelDescription description, MemoryTensors tensors)
    implements AutoCloseable {

  /// Writes it as an artifact.
  ///
  /// @return the file
  public Path writeTo(Path file) throws IOException {
    ArtifactWriter.write(file, description, tensors);
    return file;
  }

  @Override
  public void close() {
    tensors.close();
  }
}
