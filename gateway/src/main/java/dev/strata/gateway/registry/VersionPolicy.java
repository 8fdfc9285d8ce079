package dev.strata.gateway.registry;

import java.util.Collection;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/// Which of a model's versions are served.
public sealed interface VersionPolicy {

  /// The `count` highest.
  record Latest(int count) implements VersionPolicy {}

  /// Every one.
  record All() implements VersionPolicy {}

  /// These and no others.
  record Specific(Set<Long> versions) implements VersionPolicy {
    public Specific {
      versions = Set.copyOf(versions);
    }
  }

  /// @param present versions there are
  /// @return those to serve; a specific version that is missing is simply not among them
  default NavigableSet<Long> choose(Collection<Long> present) {
    TreeSet<Long> chosen = new TreeSet<>(present);
    switch (this) {
      case Latest(int count) -> {
        while (chosen.size() > count) {
          chosen.pollFirst();
        }
      }
      case All() -> {}
      case Specific(Set<Long> versions) -> chosen.retainAll(versions);
    }
    return chosen;
  }
}
