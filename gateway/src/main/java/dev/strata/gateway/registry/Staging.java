package dev.strata.gateway.registry;

import dev.strata.artifact.ArtifactOutline;
import dev.strata.artifact.CorruptArtifactException;
import dev.strata.artifact.ModelArtifact;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.util.Optional;
import java.util.stream.IntStream;

/// An artifact on its way in: its file in the cache, its mapping, its part of the memory budget,
/// and from width 1 on the model. Used by one loading thread at a time. It belongs to the model
/// once there is one, and ends with that.
final class Staging {

  private final MemoryBudget budget;
  private final LoadObserver observer;
  private final ArtifactOutline outline;
  private final ArtifactCache.Entry entry;
  private final ModelArtifact artifact;
  private final ResidentPlanes planes;
  private volatile Optional<LoadedModel> model = Optional.empty();
  private int taken;
  private boolean abandoned;

  private Staging(
      MemoryBudget budget,
      LoadObserver observer,
      ArtifactOutline outline,
      ArtifactCache.Entry entry,
      ResidentPlanes.Demand demand)
      throws IOException, NoRoomException {
    this.budget = budget;
    this.observer = observer;
    this.outline = outline;
    this.entry = entry;
    this.planes = budget.open(demand, this::offer);
    try {
      this.artifact = ModelArtifact.openStaged(entry.file());
    } catch (Throwable failure) {
      budget.close(planes);
      throw failure;
    }
  }

  /// @throws NoRoomException if the memory budget has no room for the least of it
  /// @throws IOException if the cache has none, or cannot be written
  static Staging open(
      ArtifactCache cache,
      MemoryBudget budget,
      LoadObserver observer,
      String name,
      ModelSettings settings,
      ArtifactOutline outline,
      byte[] header)
      throws IOException, NoRoomException {
    ResidentPlanes.Demand demand =
        new ResidentPlanes.Demand(
            name,
            IntStream.rangeClosed(1, outline.widths()).mapToObj(outline::prefixBytes).toList(),
            floor(settings, outline));
    ArtifactCache.Entry entry = cache.enter(outline, header);
    try {
      return new Staging(budget, observer, outline, entry, demand);
    } catch (Throwable failure) {
      entry.close();
      throw failure;
    }
  }

  ArtifactOutline outline() {
    return outline;
  }

  ArtifactCache.Entry entry() {
    return entry;
  }

  ModelArtifact artifact() {
    return artifact;
  }

  /// Whether more of the same artifact can be taken in.
  boolean goesOnAs(ArtifactOutline other) {
    return !abandoned
        && outline.sha256().equals(other.sha256())
        && model.map(loaded -> !loaded.retired()).orElse(true);
  }

  boolean hasModel() {
    return model.isPresent();
  }

  boolean owns(LoadedModel other) {
    return model.isPresent() && model.get() == other;
  }

  /// The model, once section 1 has been admitted.
  LoadedModel model(String name, long version, ModelSettings settings) {
    if (model.isEmpty()) {
      model =
          Optional.of(
              new LoadedModel(
                  name, version, settings, artifact, () -> budget.used(planes), this::close));
    }
    return model.get();
  }

  /// How many sections are done with: verified, and the width they make is ready to answer.
  int taken() {
    return taken;
  }

  /// Section 0 makes no width.
  void tookShared() {
    taken = 1;
  }

  /// Whether the cache holds this section from an earlier time; it is admitted then.
  boolean admitsWhatIsThere(int section) {
    if (artifact.admittedSections() > section) {
      return true;
    }
    if (entry.isNew()) {
      return false;
    }
    try {
      artifact.admit(section);
      return true;
    } catch (CorruptArtifactException notThere) {
      return false;
    }
  }

  /// Takes over what the owner has changed since.
  void apply(ModelSettings settings) {
    budget.floor(planes, floor(settings, outline));
    model.ifPresent(loaded -> loaded.apply(settings));
  }

  private static int floor(ModelSettings settings, ArtifactOutline outline) {
    return Math.min(settings.precision().least().count(), outline.widths());
  }

  /// Asks for memory before a width is read. Without it the width is taken in all the same, to be
  /// offered when there is room.
  void reserve(int width) {
    budget.reserve(planes, width);
  }

  /// A width is verified and warm.
  void available(int width) {
    model.orElseThrow().admitted(width);
    budget.available(planes, width);
    if (width > planes.granted()) {
      artifact.evict(width);
    }
    taken = width + 1;
  }

  private void offer(int width) {
    LoadedModel loaded = model.orElseThrow();
    int before = loaded.offered();
    if (width == before) {
      return;
    }
    loaded.offer(width);
    if (width < before) {
      observer.evicted(loaded.name(), before - width);
    }
  }

  /// Brings a width that the budget has granted again back into memory and offers it.
  void bringBack() {
    LoadedModel loaded = model.orElseThrow();
    loaded.layered().fetch(new Bits(loaded.offered() + 1));
    budget.settle(planes);
    observer.returned(loaded.name());
  }

  boolean holds(ResidentPlanes other) {
    return planes == other;
  }

  /// Gives everything up: at once, or when the model's last user has gone.
  void abandon() {
    if (abandoned) {
      return;
    }
    abandoned = true;
    if (model.isPresent()) {
      model.get().retire();
    } else {
      artifact.close();
      close();
    }
  }

  private void close() {
    budget.close(planes);
    entry.close();
  }
}
