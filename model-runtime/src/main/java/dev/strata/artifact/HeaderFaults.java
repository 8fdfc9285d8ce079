package dev.strata.artifact;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Path;

/// Makes the complaints about one file's header.
record HeaderFaults(Path path) {

  void require(boolean condition, long offset, String expected, String found)
      throws CorruptArtifactException {
    if (!condition) {
      throw damaged(offset, expected, found);
    }
  }

  CorruptArtifactException damaged(long offset, String expected, String found) {
    return new CorruptArtifactException(path, ArtifactSection.HEADER, offset, expected, found);
  }

  CorruptArtifactException notJson(String what, IOException failure) {
    String reason =
        failure instanceof JsonProcessingException json
            ? json.getOriginalMessage()
            : failure.getMessage();
    CorruptArtifactException corrupt =
        damaged(ArtifactHeader.LENGTH_BYTES, "valid " + what, reason);
    corrupt.initCause(failure);
    return corrupt;
  }
}
