package dev.strata.gateway.registry;

import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.QueueSettings;
import dev.strata.gateway.call.ShadowSettings;
import dev.strata.precision.Bits;
import java.net.URI;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// What the owner of a model decided about it: the content of its `model.yaml`.
///
/// @param versions which of its versions are served
/// @param labels names that stand for a version
/// @param precision widths
/// @param queue how much work may wait
/// @param batching how requests are computed together
/// @param cacheBytes most bytes of answers that are kept; 0 keeps none
/// @param shadow which answers are checked at a wider width, if any
/// @param warmUp what runs before a width answers
/// @param threads that compute one batch together
/// @param sources where versions come from that are not files of the repository
public record ModelSettings(
    VersionPolicy versions,
    Map<String, Long> labels,
    Widths precision,
    QueueSettings queue,
    BatchingSettings batching,
    long cacheBytes,
    Optional<ShadowSettings> shadow,
    WarmUp warmUp,
    int threads,
    Map<Long, URI> sources) {

  /// @param standard for a request that names no precision; empty for the artifact's own default
  /// @param least the server chooses no width under it, and takes planes away no further than to it
  /// @param most the server chooses no width above it
  /// @param required the model counts as ready from this width on, or when it has all of its own;
  ///     empty: with any width, but the server's own readiness waits for all of them
  public record Widths(
      Optional<Precision> standard, Bits least, Bits most, Optional<Bits> required) {
    public Widths {
      Objects.requireNonNull(standard);
      Objects.requireNonNull(least);
      Objects.requireNonNull(most);
      Objects.requireNonNull(required);
    }
  }

  /// @param runs how often each width is run before it answers; 0 only plans it
  /// @param rows of the made-up input
  public record WarmUp(int runs, int rows) {}

  public static final ModelSettings STANDARD =
      new ModelSettings(
          new VersionPolicy.Latest(1),
          Map.of(),
          new Widths(Optional.empty(), new Bits(1), new Bits(Bits.MAX), Optional.empty()),
          QueueSettings.STANDARD,
          BatchingSettings.STANDARD,
          0,
          Optional.empty(),
          new WarmUp(1, 1),
          1,
          Map.of());

  public ModelSettings {
    Objects.requireNonNull(versions);
    Objects.requireNonNull(precision);
    Objects.requireNonNull(queue);
    Objects.requireNonNull(batching);
    Objects.requireNonNull(shadow);
    Objects.requireNonNull(warmUp);
    labels = Map.copyOf(labels);
    sources = Map.copyOf(sources);
  }
}
