package dev.strata.gateway.registry;

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
/// @param warmUp what runs before a width answers
/// @param sources where versions come from that are not files of the repository
public record ModelSettings(
    VersionPolicy versions,
    Map<String, Long> labels,
    Widths precision,
    WarmUp warmUp,
    Map<Long, URI> sources) {

  /// @param defaultBits for a request that names no width; empty for the artifact's own default
  /// @param least the server takes no more planes away than down to this width
  /// @param required the model counts as ready from this width on, or when it has all of its own;
  ///     empty: with any width, but the server's own readiness waits for all of them
  public record Widths(Optional<Bits> defaultBits, Bits least, Optional<Bits> required) {
    public Widths {
      Objects.requireNonNull(defaultBits);
      Objects.requireNonNull(least);
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
          new Widths(Optional.empty(), new Bits(1), Optional.empty()),
          new WarmUp(1, 1),
          Map.of());

  public ModelSettings {
    Objects.requireNonNull(versions);
    Objects.requireNonNull(precision);
    Objects.requireNonNull(warmUp);
    labels = Map.copyOf(labels);
    sources = Map.copyOf(sources);
  }
}
