package dev.strata.artifact;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.file.StandardOpenOption.READ;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.TensorSource;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A layered model file, mapped and verified. Owns the mapping; the tensors it hands out are
/// borrowed and end with it. Safe for use by many threads.
///
/// The file must not be changed while it is open: a mapping of a file that somebody shortens kills
/// the process.
public final class ModelArtifact implements TensorSource, AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final MemorySegment file;
  private final ModelDescription description;
  private final List<ArtifactSection> sections;
  private final List<StoredTensor> tensors;
  private final Map<String, MemorySegment> data = new HashMap<>();

  private ModelArtifact(Path path, Arena arena, MemorySegment file)
      throws CorruptArtifactException {
    this.path = path;
    this.arena = arena;
    this.file = file;
    ArtifactHeader header = ArtifactHeader.read(path, file);
    sections = header.sections();
    tensors = header.tensors();
    int bits = checkLength();
    checkHashes();
    checkTensors(header.description());
    description = available(header.description(), bits);
    for (StoredTensor tensor : tensors) {
      if (!tensor.isPadding() && sections.get(tensor.section()).present()) {
        data.put(tensor.name(), file.asSlice(tensor.offset(), tensor.length()));
      }
    }
  }

  /// Maps a file and checks all of it; docs/artifact-format.md lists the checks in order. Copies
  /// nothing. A file that ends with section b, 1 or above, opens with the widths 1 to b.
  ///
  /// @throws CorruptArtifactException if it is damaged or not an artifact
  public static ModelArtifact open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, READ)) {
      return new ModelArtifact(path, arena, channel.map(READ_ONLY, 0, channel.size(), arena));
    } catch (Throwable failure) {
      arena.close();
      throw failure;
    }
  }

  /// What the file says of its model, with the profiles and the default width that it has planes
  /// for.
  public ModelDescription description() {
    return description;
  }

  @Override
  public Optional<MemorySegment> find(String name) {
    return Optional.ofNullable(data.get(name));
  }

  /// Widths that can be asked for, ascending.
  public List<Bits> precisions() {
    return description.profiles().stream().map(PrecisionProfile::bits).toList();
  }

  /// Length of the file that this width depends on.
  ///
  /// @throws IllegalArgumentException if the file does not have the width
  public long prefixBytes(Bits bits) {
    description.profile(bits);
    return sections.get(bits.count()).end();
  }

  /// Bytes of the weight planes in the file.
  public long planeBytes() {
    return description.graph().layers().stream()
        .mapToLong(
            layer ->
                switch (layer.storage()) {
                  case FLOAT -> 0;
                  case PLANES ->
                      description.profiles().getLast().layer(layer.name()).planes().count()
                          * layer.layout().planeBytes();
                })
        .sum();
  }

  /// All sections, also those that a shortened file does not have.
  public List<ArtifactSection> sections() {
    return sections;
  }

  /// All tensors in file order, padding included, also those that a shortened file does not have.
  public List<StoredTensor> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    arena.close();
  }

  /// @return the largest width whose section the file ends with
  private int checkLength() throws CorruptArtifactException {
    int bits = 0;
    while (bits + 1 < sections.size() && sections.get(bits + 1).present()) {
      bits++;
    }
    ArtifactSection last = sections.get(bits);
    boolean whole = bits + 1 == sections.size();
    if (bits >= 1 && last.end() == file.byteSize()) {
      return bits;
    }
    String found = "the file ends at %d".formatted(file.byteSize());
    if (whole) {
      throw new CorruptArtifactException(
          path, last.label(), last.end(), "the end of the file", found);
    }
    ArtifactSection cut = last.present() ? sections.get(bits + 1) : last;
    throw new CorruptArtifactException(
        path, cut.label(), file.byteSize(), "bytes up to %d".formatted(cut.end()), found);
  }

  private void checkHashes() throws CorruptArtifactException {
    for (ArtifactSection section : sections) {
      if (!section.present()) {
        return;
      }
      MessageDigest digest = HeaderHash.sha256();
      HeaderHash.update(digest, file.asSlice(section.offset(), section.length()));
      String computed = HeaderHash.hex(digest);
      if (!computed.equals(section.sha256())) {
        throw new CorruptArtifactException(
            path, section.label(), section.offset(), "SHA-256 " + section.sha256(), computed);
      }
    }
  }

  /// Holds the file's tensors against those that its model must have.
  private void checkTensors(ModelDescription described) throws CorruptArtifactException {
    List<StoredTensor> stored = tensors.stream().filter(tensor -> !tensor.isPadding()).toList();
    TensorPlan plan;
    try {
      plan =
          TensorPlan.of(
              described, name -> stored.stream().anyMatch(tensor -> tensor.name().equals(name)));
    } catch (IllegalArgumentException | ArithmeticException failure) {
      throw damaged("a consistent model", failure.getMessage());
    }
    if (plan.sections().size() != sections.size()) {
      throw damaged(
          "a section for each of %d profiles".formatted(plan.sections().size() - 1),
          "%d sections behind the shared one".formatted(sections.size() - 1));
    }
    int at = 0;
    for (int section = 0; section < plan.sections().size(); section++) {
      for (TensorPlan.Entry entry : plan.sections().get(section)) {
        String expected = "%s in section %d".formatted(entry, section);
        if (at == stored.size()) {
          throw damaged(expected, "no more tensors");
        }
        StoredTensor tensor = stored.get(at++);
        if (tensor.section() != section
            || !entry.name().equals(tensor.name())
            || !entry.fits(tensor.type(), tensor.shape())) {
          throw damaged(
              expected,
              "tensor '%s' %s %s in section %d"
                  .formatted(tensor.name(), tensor.type(), tensor.shape(), tensor.section()));
        }
      }
    }
    if (at < stored.size()) {
      throw damaged("no more tensors", "tensor '%s'".formatted(stored.get(at).name()));
    }
  }

  private CorruptArtifactException damaged(String expected, String found) {
    return new CorruptArtifactException(
        path, ArtifactSection.HEADER, ArtifactHeader.LENGTH_BYTES, expected, found);
  }

  /// The description of a model of fewer bits.
  static ModelDescription available(ModelDescription whole, int bits) {
    Bits widest = new Bits(bits);
    return new ModelDescription(
        whole.name(),
        whole.inputs(),
        whole.outputs(),
        whole.graph(),
        whole.preprocessing(),
        whole.postprocessing(),
        whole.labels(),
        whole.defaultBits().compareTo(widest) > 0 ? widest : whole.defaultBits(),
        whole.profiles().subList(0, bits),
        whole.provenance());
  }
}
