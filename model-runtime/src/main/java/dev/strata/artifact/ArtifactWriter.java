package dev.strata.artifact;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.strata.artifact.HeaderJson.PrefixEntry;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Writes layered artifacts. The same model gives the same bytes, and a reader sees the whole file
/// or none: it is written beside the target and then renamed.
public final class ArtifactWriter {
  private static final long CHUNK_BYTES = 1 << 24;

  private final List<Placed> placed = new ArrayList<>();
  private final List<Long> sectionEnds = new ArrayList<>();
  private final List<String> sectionHashes = new ArrayList<>();
  private final ModelDescription description;
  private final Optional<ConfidenceCascade> cascade;

  /// @param begin data offset: counted from the first tensor
  private record Placed(
      String name, StoredType type, Shape shape, long begin, MemorySegment bytes) {
    long end() {
      return begin + bytes.byteSize();
    }

    boolean isPadding() {
      return name.startsWith(StoredTensor.PADDING_PREFIX);
    }
  }

  private ArtifactWriter(
      ModelDescription description, Optional<ConfidenceCascade> cascade, TensorSource tensors) {
    this.description = description;
    this.cascade = cascade;
    TensorPlan plan = TensorPlan.of(description, name -> tensors.find(name).isPresent());
    for (List<TensorPlan.Entry> section : plan.sections()) {
      MessageDigest digest = HeaderHash.sha256();
      for (TensorPlan.Entry entry : section) {
        place(entry, tensors.get(entry.name()), digest);
      }
      sectionEnds.add(end());
      sectionHashes.add(HeaderHash.hex(digest));
    }
  }

  /// Writes a model.
  ///
  /// @param tensors holds at least the tensors that the description calls for, each of exactly its
  ///     size; others are left out
  /// @throws IllegalArgumentException if a tensor is missing or has another size, or if the
  ///     description contradicts itself
  public static void write(Path target, ModelDescription description, TensorSource tensors)
      throws IOException {
    write(target, description, Optional.empty(), tensors);
  }

  /// Writes a model that answers with two widths where it has them both.
  ///
  /// @param tensors as above
  static void write(
      Path target,
      ModelDescription description,
      Optional<ConfidenceCascade> cascade,
      TensorSource tensors)
      throws IOException {
    int widths = description.profiles().size();
    new ArtifactWriter(description, cascade.filter(pair -> pair.high().count() <= widths), tensors)
        .writeTo(target);
  }

  /// Writes an artifact again with another description of the same tensors, such as one that has
  /// measured qualities. Source and target may be the same file.
  ///
  /// @param cascade how the model answers with two widths; empty keeps what the source says
  /// @throws IllegalArgumentException if the description calls for other tensors
  public static void describe(
      Path source, ModelDescription changed, Optional<ConfidenceCascade> cascade, Path target)
      throws IOException {
    try (ModelArtifact artifact = ModelArtifact.open(source)) {
      TensorPlan before =
          TensorPlan.of(artifact.description(), name -> artifact.find(name).isPresent());
      TensorPlan after = TensorPlan.of(changed, name -> artifact.find(name).isPresent());
      if (!before.equals(after)) {
        throw new IllegalArgumentException(
            "%s: the changed description calls for other tensors than the file has"
                .formatted(source));
      }
      write(target, changed, cascade.or(artifact::cascade), artifact);
    }
  }

  private void place(TensorPlan.Entry entry, MemorySegment bytes, MessageDigest digest) {
    Shape shape = entry.shape().isStatic() ? entry.shape() : Shape.of(bytes.byteSize());
    long expected = entry.type().bytes(shape);
    if (bytes.byteSize() != expected) {
      throw new IllegalArgumentException(
          "%s: got %d bytes, expected %d".formatted(entry, bytes.byteSize(), expected));
    }
    append(entry.name(), entry.type(), shape, bytes, digest);
    int gap = Math.floorMod(-end(), ArtifactHeader.ALIGNMENT);
    if (gap > 0) {
      long count = placed.stream().filter(Placed::isPadding).count();
      append(
          StoredTensor.PADDING_PREFIX + count,
          StoredType.U8,
          Shape.of(gap),
          MemorySegment.ofArray(new byte[gap]),
          digest);
    }
  }

  private void append(
      String name, StoredType type, Shape shape, MemorySegment bytes, MessageDigest digest) {
    placed.add(new Placed(name, type, shape, end(), bytes));
    HeaderHash.update(digest, bytes);
  }

  private long end() {
    return placed.isEmpty() ? 0 : placed.getLast().end();
  }

  private void writeTo(Path target) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    // Not a temporary file of the JDK's, which its owner alone could read.
    Path temporary =
        folder.resolve(".%s.%s.part".formatted(target.getFileName(), UUID.randomUUID()));
    try {
      try (FileChannel out = FileChannel.open(temporary, CREATE_NEW, WRITE)) {
        byte[] header = header();
        ByteBuffer length =
            ByteBuffer.allocate(ArtifactHeader.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        writeFully(out, length.putLong(0, header.length));
        writeFully(out, ByteBuffer.wrap(header));
        for (Placed tensor : placed) {
          write(out, tensor.bytes());
        }
        out.force(true);
      }
      Files.move(temporary, target, ATOMIC_MOVE, REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void write(FileChannel out, MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += CHUNK_BYTES) {
      long length = Math.min(CHUNK_BYTES, bytes.byteSize() - at);
      writeFully(out, bytes.asSlice(at, length).asByteBuffer());
    }
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /// The header, padded with spaces. It holds file lengths, which depend on its own: the space for
  /// it grows until it fits.
  private byte[] header() throws IOException {
    int dataOffset = ArtifactHeader.ALIGNMENT;
    while (true) {
      byte[] json = json(dataOffset);
      int needed = ArtifactHeader.LENGTH_BYTES + json.length;
      if (needed <= dataOffset) {
        byte[] padded = Arrays.copyOf(json, dataOffset - ArtifactHeader.LENGTH_BYTES);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return HeaderHash.seal(padded);
      }
      if (needed > HeaderJson.MAX_HEADER_BYTES) {
        throw new IllegalArgumentException(
            "header: got %d bytes, expected at most %d"
                .formatted(json.length, HeaderJson.MAX_HEADER_BYTES));
      }
      dataOffset = Math.ceilDiv(needed, ArtifactHeader.ALIGNMENT) * ArtifactHeader.ALIGNMENT;
    }
  }

  private byte[] json(long dataOffset) throws IOException {
    List<PrefixEntry> prefix = new ArrayList<>();
    for (int section = 0; section < sectionEnds.size(); section++) {
      prefix.add(
          new PrefixEntry(
              section, dataOffset + sectionEnds.get(section), sectionHashes.get(section)));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = HeaderJson.MAPPER.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeObjectFieldStart(HeaderJson.METADATA);
      json.writeStringField(HeaderJson.FORMAT, HeaderJson.FORMAT_VERSION);
      json.writeStringField(HeaderJson.HEADER_SHA256, HeaderHash.ZEROS);
      json.writeStringField(HeaderJson.PREFIX, HeaderJson.MAPPER.writeValueAsString(prefix));
      json.writeStringField(HeaderJson.MODEL, HeaderJson.MAPPER.writeValueAsString(description));
      if (cascade.isPresent()) {
        json.writeStringField(
            HeaderJson.CASCADE, HeaderJson.MAPPER.writeValueAsString(cascade.get()));
      }
      json.writeEndObject();
      for (Placed tensor : placed) {
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.type().name());
        json.writeFieldName("shape");
        long[] dims = tensor.shape().toArray();
        json.writeArray(dims, 0, dims.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }
}
