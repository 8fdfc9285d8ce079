package dev.strata.gateway.registry;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;

/// Where an artifact can be read, again and again.
sealed interface ArtifactLocation {

  ArtifactSource open() throws IOException;

  /// A message without what is nobody's business: where the file lies.
  String hidden(String message);

  record Local(Path file) implements ArtifactLocation {
    @Override
    public ArtifactSource open() throws IOException {
      return new LocalSource(file);
    }

    @Override
    public String hidden(String message) {
      return message.replace(file.toString(), file.getFileName().toString());
    }
  }

  record Remote(HttpClient client, URI uri, RemoteSource.Patience patience)
      implements ArtifactLocation {
    @Override
    public ArtifactSource open() {
      return new RemoteSource(client, uri, patience);
    }

    @Override
    public String hidden(String message) {
      return message;
    }
  }
}
