package dev.strata.gateway.registry;

import dev.strata.artifact.ArtifactOutline;
import dev.strata.artifact.ArtifactSection;
import dev.strata.artifact.CorruptArtifactException;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.registry.LoadObserver.Stage;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;

/// Takes one version of a model in, from its header to its last plane: copies section after section
/// into the cache, verifies it there, warms the width up and lets it be offered. Where another
/// artifact answers under the same name and number, that one does so until this one is whole.
final class VersionLoad {

  private static final Logger LOG = Logger.getLogger(VersionLoad.class);
  private static final String CANCELLED = "loading was cancelled";
  private static final int CHUNK_BYTES = 1 << 20;

  /// How a load ended.
  sealed interface Outcome {
    /// Every width of the artifact has been taken in.
    record Whole() implements Outcome {}

    /// The source ends before the artifact does; what is whole has been taken in.
    ///
    /// @param note where it ends; empty if that is the end of a section
    record Partial(String note) implements Outcome {}

    /// Something is wrong. Widths taken in before stay, unless they should have replaced others.
    record Failed(LoadObserver.Cause cause, String reason) implements Outcome {}
  }

  /// What all loads share.
  ///
  /// @param stayBehind lowers the calling thread's priority if anything is served that it could
  ///     disturb
  record Tools(
      ArtifactCache cache,
      MemoryBudget budget,
      SignaturePolicy signatures,
      LoadObserver observer,
      Runnable stayBehind) {}

  /// The place that the model is to have.
  interface Progress {
    /// Who has it now.
    Optional<LoadedModel> answering();

    /// This one from now on; called again for each width that is added.
    void answers(LoadedModel model);
  }

  private final Tools tools;
  private final String name;
  private final long version;
  private final ModelSettings settings;
  private final ArtifactLocation location;
  private final Optional<Staging> before;
  private final Progress progress;
  private final long startNanos = System.nanoTime();
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
  private volatile boolean cancelled;

  /// @param before what an earlier load of this version has taken in, to go on with if the artifact
  ///     is still the same
  VersionLoad(
      Tools tools,
      String name,
      long version,
      ModelSettings settings,
      ArtifactLocation location,
      Optional<Staging> before,
      Progress progress) {
    this.tools = tools;
    this.name = name;
    this.version = version;
    this.settings = settings;
    this.location = location;
    this.before = before;
    this.progress = progress;
  }

  /// Ends the load at its next chunk.
  void cancel() {
    cancelled = true;
  }

  /// What a load gives: how it ended, and what it leaves for the next one to go on with.
  record Result(Outcome outcome, Optional<Staging> staging) {}

  /// Runs to the end; on a loading thread.
  Result run() {
    Optional<Staging> staging = Optional.empty();
    try (ArtifactSource source = location.open()) {
      try {
        staging = Optional.of(begin(source));
        Outcome outcome = fill(source, staging.get());
        return new Result(outcome, publish(staging.get(), outcome));
      } catch (CorruptArtifactException corrupt) {
        throw new IOException(
            "%s: %s at byte %d: expected %s, found %s"
                .formatted(
                    source.name(),
                    corrupt.section(),
                    corrupt.offset(),
                    corrupt.expected(),
                    corrupt.found()),
            corrupt);
      }
    } catch (PartialHeaderException partial) {
      return new Result(new Outcome.Partial(partial.getMessage()), Optional.empty());
    } catch (IOException | NoRoomException | RuntimeException | LinkageError failure) {
      LOG.debug("not loaded", failure);
      // Who cancels also closes what there is, and then anything may fail.
      String reason =
          cancelled
              ? CANCELLED
              : Optional.ofNullable(failure.getMessage()).orElse(failure.toString());
      Outcome.Failed failed =
          new Outcome.Failed(
              failure instanceof NoRoomException
                  ? LoadObserver.Cause.MEMORY
                  : LoadObserver.Cause.ARTIFACT,
              location.hidden(reason));
      return new Result(failed, staging.flatMap(begun -> publish(begun, failed)));
    }
  }

  /// The source does not go to the end of the header yet.
  private static final class PartialHeaderException extends EOFException {
    private static final long serialVersionUID = 1L;

    PartialHeaderException(String message) {
      super(message);
    }
  }

  /// Reads and checks the header, and makes a place for the artifact.
  private Staging begin(ArtifactSource source) throws IOException, NoRoomException {
    Path path = Path.of(ModelRepository.FILE);
    byte[] start = head(source, ArtifactOutline.START_BYTES, new byte[0]);
    byte[] header = head(source, ArtifactOutline.headerBytes(path, start), start);
    ArtifactOutline outline = ArtifactOutline.read(path, header);
    tools.signatures().check("model '%s' version %d".formatted(name, version), source, header);
    tools.observer().loaded(name, Stage.HEADER, elapsed());
    if (before.isPresent() && before.get().goesOnAs(outline)) {
      return before.get();
    }
    return Staging.open(
        tools.cache(), tools.budget(), tools.observer(), name, settings, outline, header);
  }

  private byte[] head(ArtifactSource source, int length, byte[] known) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).put(known);
    while (bytes.hasRemaining()) {
      requireWanted();
      if (source.read(bytes, bytes.position()) < 0) {
        throw new PartialHeaderException(
            "%s ends at byte %d of its header of %d"
                .formatted(source.name(), bytes.position(), length));
      }
    }
    return bytes.array();
  }

  /// Takes in what the source has of the sections that are missing.
  private Outcome fill(ArtifactSource source, Staging staging) throws IOException {
    boolean replaces = replaces(staging);
    int sections = staging.outline().sections().size();
    while (staging.taken() < sections) {
      int next = staging.taken();
      if (next > 1) {
        staging.reserve(next);
      }
      Optional<String> note = take(source, staging, staging.outline().sections().get(next));
      if (note.isPresent()) {
        return new Outcome.Partial(
            next > 1 || !note.get().isEmpty()
                ? note.get()
                : "%s ends before %s"
                    .formatted(source.name(), staging.outline().sections().get(next).label()));
      }
      if (next == 0) {
        staging.tookShared();
      } else {
        LoadedModel model = staging.model(name, version, settings);
        warmUp(model, next);
        staging.available(next);
        if (next == 1) {
          tools.observer().loaded(name, Stage.FIRST_WIDTH, elapsed());
        }
        if (!replaces) {
          progress.answers(model);
        }
      }
    }
    tools.observer().loaded(name, Stage.FULL, elapsed());
    return new Outcome.Whole();
  }

  /// Whether another artifact answers under this name and number.
  private boolean replaces(Staging staging) {
    return progress.answering().filter(model -> !staging.owns(model)).isPresent();
  }

  /// Copies a section, unless the cache has it from before, and verifies it.
  ///
  /// @return where the source ends, if that is before the section's end; an empty text if it ends
  ///     just before the section
  private Optional<String> take(ArtifactSource source, Staging staging, ArtifactSection section)
      throws IOException {
    if (staging.admitsWhatIsThere(section.index())) {
      return Optional.empty();
    }
    for (int attempt = 1; ; attempt++) {
      Optional<String> note = copy(source, staging, section);
      if (note.isPresent()) {
        return note;
      }
      try {
        staging.artifact().admit(section.index());
        return Optional.empty();
      } catch (CorruptArtifactException corrupt) {
        if (attempt > 1 || !source.worthAnotherTry()) {
          throw corrupt;
        }
        LOG.warnf(
            "model '%s' version %d: %s; reading it again", name, version, corrupt.getMessage());
      }
    }
  }

  private Optional<String> copy(ArtifactSource source, Staging staging, ArtifactSection section)
      throws IOException {
    long at = section.offset();
    while (at < section.end()) {
      requireWanted();
      tools.stayBehind().run();
      chunk.clear().limit((int) Math.min(CHUNK_BYTES, section.end() - at));
      int count = source.read(chunk, at);
      if (count < 0) {
        return Optional.of(
            at == section.offset()
                ? ""
                : "%s ends at byte %,d; %s goes to %,d"
                    .formatted(source.name(), at, section.label(), section.end()));
      }
      staging.entry().write(chunk.flip(), at);
      at += count;
    }
    return Optional.empty();
  }

  private void requireWanted() throws IOException {
    if (cancelled || Thread.currentThread().isInterrupted()) {
      throw new IOException(CANCELLED);
    }
  }

  /// Plans a width and runs it, so that its first request pays for neither.
  private void warmUp(LoadedModel model, int width) {
    Bits bits = new Bits(width);
    try (ServedModel.Session session = model.newSession()) {
      model.layered().planAhead(bits);
      if (settings.warmUp().runs() > 0) {
        Map<String, Tensor> inputs =
            SampleInputs.of(model.layered().description(), settings.warmUp().rows());
        for (int run = 0; run < settings.warmUp().runs(); run++) {
          List<ServedModel.Outcome> outcomes = session.run(bits, List.of(inputs), () -> false);
          if (outcomes.getFirst() instanceof ServedModel.Outcome.Refused(var unsuited)) {
            // A model may want more of its inputs than can be made up; its plan at least is there.
            LOG.debugf(
                "model '%s' version %d: not warmed up: %s", name, version, unsuited.getMessage());
            return;
          }
        }
      }
    }
  }

  /// Puts what has been taken in into its place, or throws it away.
  ///
  /// @return what a later load may go on with
  private Optional<Staging> publish(Staging staging, Outcome outcome) {
    boolean complete =
        outcome instanceof Outcome.Whole
            || (outcome instanceof Outcome.Partial(String note) && note.isEmpty());
    if (staging.hasModel() && !cancelled && (complete || !replaces(staging))) {
      progress.answers(staging.model(name, version, settings));
      return Optional.of(staging);
    }
    if (outcome instanceof Outcome.Failed || cancelled) {
      staging.abandon();
      return Optional.empty();
    }
    return Optional.of(staging);
  }

  /// Time since the load was asked for.
  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }
}
