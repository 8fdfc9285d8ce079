package dev.strata.gateway.security;

import java.util.Objects;
import java.util.Set;

/// Somebody whose credentials were good.
///
/// @param name for logs
public record Caller(String name, Set<Role> roles) {
  public Caller {
    Objects.requireNonNull(name);
    roles = Set.copyOf(roles);
  }
}
