package dev.strata.artifact;

import static java.nio.channels.FileChannel.MapMode.READ_ONLY;
import static java.nio.file.StandardOpenOption.READ;

import dev.strata.graph.ConfidenceCascade;
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
/// The file must not be shortened while it is open: that kills the process. A file that is still
/// being filled is mapped at its final length, and [#admit] makes one section after another
/// visible; addresses never change, so what was planned on the first sections stays valid.
public final class ModelArtifact implements TensorSource, AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final MemorySegment file;
  private final ModelDescription whole;
  private final Optional<ConfidenceCascade> cascade;
  private final List<ArtifactSection> sections;
  private final List<StoredTensor> tensors;
  private volatile Available available = new Available(0, Optional.empty(), Map.of());

  /// What has been verified.
  ///
  /// @param sections how many, from section 0 on
  /// @param description with the profiles there are planes for; empty before section 1
  /// @param tensors by name
  private record Available(
      int sections, Optional<ModelDescription> description, Map<String, MemorySegment> tensors) {}

  private ModelArtifact(Path path, Arena arena, MemorySegment file)
      throws CorruptArtifactException {
    this.path = path;
    this.arena = arena;
    this.file = file;
    ArtifactHeader header = ArtifactHeader.read(path, file);
    whole = header.description();
    cascade = header.cascade();
    sections = header.sections();
    tensors = header.tensors();
  }

  /// Maps a file and checks all of it; docs/artifact-format.md lists the checks in order. Copies
  /// nothing. A file that ends with section b, 1 or above, opens with the widths 1 to b.
  ///
  /// @throws CorruptArtifactException if it is damaged or not an artifact
  public static ModelArtifact open(Path path) throws IOException {
    return map(
        path,
        artifact -> {
          int last = artifact.checkLength();
          for (int section = 0; section <= last; section++) {
            artifact.checkHash(section);
          }
          artifact.checkTensors();
          artifact.show(last + 1);
        });
  }

  /// Maps a file of its final length of which only the header is sure to be in place. No section is
  /// believed before [#admit].
  ///
  /// @throws CorruptArtifactException if the header is damaged or the file has another length
  public static ModelArtifact openStaged(Path path) throws IOException {
    return map(
        path,
        artifact -> {
          artifact.checkTensors();
          long end = artifact.sections.getLast().end();
          if (artifact.file.byteSize() != end) {
            throw new CorruptArtifactException(
                path,
                artifact.sections.getLast().label(),
                end,
                "a file of %d bytes".formatted(end),
                "%d bytes".formatted(artifact.file.byteSize()));
          }
        });
  }

  /// The checks that make a mapped file an artifact.
  private interface Opening {
    void check(ModelArtifact artifact) throws CorruptArtifactException;
  }

  private static ModelArtifact map(Path path, Opening opening) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, READ)) {
      ModelArtifact artifact =
          new ModelArtifact(path, arena, channel.map(READ_ONLY, 0, channel.size(), arena));
      opening.check(artifact);
      return artifact;
    } catch (Throwable failure) {
      arena.close();
      throw failure;
    }
  }

  /// Verifies the next section of a staged file and makes it visible, and with it, from section 1
  /// on, one more width. The section's bytes are in the file and no longer change.
  ///
  /// @param section one more than the last that was admitted, 0 at first
  /// @throws CorruptArtifactException if its bytes are not those that the header announces; nothing
  ///     has changed then
  public synchronized void admit(int section) throws CorruptArtifactException {
    if (section != available.sections()) {
      throw new IllegalArgumentException(
          "section: got %d, expected %d".formatted(section, available.sections()));
    }
    checkHash(section);
    show(section + 1);
  }

  /// How many sections are verified and visible.
  public int admittedSections() {
    return available.sections();
  }

  /// Lets go of the memory of one section. It stays readable: the next access brings it back from
  /// the file.
  public void evict(int section) {
    bytes(section).unload();
  }

  /// Brings one section into memory, from the file.
  public void fetch(int section) {
    bytes(section).load();
  }

  private MemorySegment bytes(int section) {
    return file.asSlice(sections.get(section).offset(), sections.get(section).length());
  }

  private void show(int count) {
    Map<String, MemorySegment> visible = new HashMap<>();
    for (StoredTensor tensor : tensors) {
      if (!tensor.isPadding() && tensor.section() < count) {
        visible.put(tensor.name(), file.asSlice(tensor.offset(), tensor.length()));
      }
    }
    available =
        new Available(
            count,
            count < 2 ? Optional.empty() : Optional.of(upTo(whole, count - 1)),
            Map.copyOf(visible));
  }

  /// What the file says of its model, with the profiles and the default width that it has planes
  /// for.
  ///
  /// @throws IllegalStateException if section 1 has not been admitted
  public ModelDescription description() {
    return available
        .description()
        .orElseThrow(
            () -> new IllegalStateException("%s: no width has been admitted".formatted(path)));
  }

  /// What the file says of its model, with every profile, whatever has been admitted.
  public ModelDescription wholeDescription() {
    return whole;
  }

  @Override
  public Optional<MemorySegment> find(String name) {
    return Optional.ofNullable(available.tensors().get(name));
  }

  /// How the model answers with two widths, once it has them both.
  public Optional<ConfidenceCascade> cascade() {
    return cascade.filter(pair -> precisions().contains(pair.high()));
  }

  /// Widths that can be asked for, ascending.
  public List<Bits> precisions() {
    return description().profiles().stream().map(PrecisionProfile::bits).toList();
  }

  /// Length of the file that this width depends on.
  ///
  /// @throws IllegalArgumentException if the file does not have the width
  public long prefixBytes(Bits bits) {
    description().profile(bits);
    return sections.get(bits.count()).end();
  }

  /// Bytes of the weight planes that this width reads.
  ///
  /// @throws IllegalArgumentException if the file does not have the width
  public long planeBytes(Bits bits) {
    ModelDescription description = description();
    PrecisionProfile profile = description.profile(bits);
    return description.graph().layers().stream()
        .mapToLong(
            layer ->
                switch (layer.storage()) {
                  case FLOAT -> 0;
                  case PLANES ->
                      profile.layer(layer.name()).planes().count() * layer.layout().planeBytes();
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

  private void checkHash(int index) throws CorruptArtifactException {
    ArtifactSection section = sections.get(index);
    MessageDigest digest = HeaderHash.sha256();
    HeaderHash.update(digest, bytes(index));
    String computed = HeaderHash.hex(digest);
    if (!computed.equals(section.sha256())) {
      throw new CorruptArtifactException(
          path, section.label(), section.offset(), "SHA-256 " + section.sha256(), computed);
    }
  }

  /// Holds the file's tensors against those that its model must have.
  private void checkTensors() throws CorruptArtifactException {
    List<StoredTensor> stored = tensors.stream().filter(tensor -> !tensor.isPadding()).toList();
    TensorPlan plan;
    try {
      plan =
          TensorPlan.of(
              whole, name -> stored.stream().anyMatch(tensor -> tensor.name().equals(name)));
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
  static ModelDescription upTo(ModelDescription whole, int bits) {
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
