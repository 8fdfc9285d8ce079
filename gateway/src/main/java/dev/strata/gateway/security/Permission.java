package dev.strata.gateway.security;

import java.util.Set;

/// What it takes to call an endpoint. An administrator may call all of them.
public enum Permission {
  /// Probes, which say whether the server lives and is ready, and the files of the console, which
  /// are the same everywhere. Nothing that tells of models or requests.
  ANYONE,
  INFER,
  /// What a client must know to ask, and what an observer sees.
  DESCRIBE,
  OBSERVE,
  ADMIN;

  public boolean allows(Set<Role> held) {
    if (held.contains(Role.ADMIN)) {
      return true;
    }
    return switch (this) {
      case ANYONE -> true;
      case INFER -> held.contains(Role.INFER);
      case DESCRIBE -> held.contains(Role.INFER) || held.contains(Role.OBSERVE);
      case OBSERVE -> held.contains(Role.OBSERVE);
      case ADMIN -> false;
    };
  }
}
