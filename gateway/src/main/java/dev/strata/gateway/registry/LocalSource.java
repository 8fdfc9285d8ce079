package dev.strata.gateway.registry;

import static java.nio.file.StandardOpenOption.READ;

import dev.strata.artifact.ArtifactSignature;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/// A file of the repository. It may still be growing.
final class LocalSource implements ArtifactSource {

  private final Path file;
  private final FileChannel channel;

  LocalSource(Path file) throws IOException {
    this.file = file;
    this.channel = FileChannel.open(file, READ);
  }

  @Override
  public int read(ByteBuffer target, long position) throws IOException {
    return channel.read(target, position);
  }

  @Override
  public Optional<byte[]> signature() throws IOException {
    Path signature = file.resolveSibling(file.getFileName() + ArtifactSignature.SUFFIX);
    try (InputStream bytes = Files.newInputStream(signature)) {
      return Optional.of(bytes.readNBytes(ArtifactSignature.BYTES + 1));
    } catch (NoSuchFileException none) {
      return Optional.empty();
    }
  }

  @Override
  public String name() {
    return file.getFileName().toString();
  }

  @Override
  public boolean worthAnotherTry() {
    return false;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
