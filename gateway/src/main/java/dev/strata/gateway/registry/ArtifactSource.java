package dev.strata.gateway.registry;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/// Where an artifact's bytes come from, open for one load.
sealed interface ArtifactSource extends AutoCloseable permits LocalSource, RemoteSource {

  /// Reads some bytes from a position on.
  ///
  /// @return how many, at least 1; -1 if the source ends there, for now
  /// @throws IOException if the source cannot be read, after as many attempts as are worthwhile
  int read(ByteBuffer target, long position) throws IOException;

  /// The detached signature, if there is one.
  Optional<byte[]> signature() throws IOException;

  /// What messages call it. Shows neither directories nor secrets.
  String name();

  /// Whether what has arrived damaged may arrive intact another time.
  boolean worthAnotherTry();

  @Override
  void close() throws IOException;
}
