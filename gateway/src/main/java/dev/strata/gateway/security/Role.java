package dev.strata.gateway.security;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What somebody is trusted with.
public enum Role {
  /// Ask models, and read what they are.
  INFER,
  /// Read what the server is doing: metrics, statistics, states, descriptions.
  OBSERVE,
  /// Everything.
  ADMIN;

  public static final Set<Role> ALL = Set.of(values());

  /// Lower case, as files and tokens write it.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Role> named(String label) {
    return Arrays.stream(values()).filter(role -> role.label().equals(label)).findFirst();
  }

  /// @param labels separated by commas
  /// @throws IllegalArgumentException naming the word that is no role
  static Set<Role> parse(String labels) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (String label : labels.split(",", -1)) {
      roles.add(
          named(label)
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "role: got '%s', expected infer, observe or admin".formatted(label))));
    }
    return roles;
  }

  /// The roles among words of which others may mean something to somebody else.
  static Set<Role> among(Collection<String> words) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    words.forEach(word -> named(word).ifPresent(roles::add));
    return roles;
  }
}
