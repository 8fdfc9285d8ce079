package dev.strata.gateway.registry;

import java.time.Duration;

/// Is told what happens to models, for metrics. Called on loading threads; must not block.
public interface LoadObserver {

  /// Nobody looks.
  LoadObserver NONE =
      new LoadObserver() {
        @Override
        public void loaded(String model, Stage stage, Duration time) {}

        @Override
        public void failed(String model, Cause cause) {}

        @Override
        public void evicted(String model, int planes) {}

        @Override
        public void returned(String model) {}
      };

  /// How far a load has come.
  enum Stage {
    /// The header is read and checked.
    HEADER,
    /// The narrowest width answers.
    FIRST_WIDTH,
    /// Every width of the source answers.
    FULL
  }

  /// Why a model could not be loaded.
  enum Cause {
    /// Its `model.yaml` cannot be used.
    SETTINGS,
    /// Not even its narrowest width fits into the memory.
    MEMORY,
    /// Its artifact could not be read, or is not what it must be.
    ARTIFACT
  }

  /// @param time since the load began
  void loaded(String model, Stage stage, Duration time);

  /// A load ended without what it was to bring; what answered before does so still.
  void failed(String model, Cause cause);

  /// A model gave up its last `planes` widths.
  void evicted(String model, int planes);

  /// A model got one width back.
  void returned(String model);
}
