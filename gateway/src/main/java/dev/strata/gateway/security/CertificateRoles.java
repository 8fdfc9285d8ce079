package dev.strata.gateway.security;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;

/// Roles of client certificates: each line of a file is `role[,role] subject`, the subject a
/// distinguished name such as `CN=reader, O=Example`.
final class CertificateRoles {

  private final WatchedFile<Map<X500Principal, Caller>> file;

  /// @throws IllegalArgumentException naming the line that is wrong
  CertificateRoles(Path path) {
    this.file = new WatchedFile<>(path, CertificateRoles::parse);
  }

  Optional<Caller> find(X500Principal subject) {
    return Optional.ofNullable(file.value().get(subject));
  }

  private static Map<X500Principal, Caller> parse(String text) {
    Map<X500Principal, Caller> callers = new LinkedHashMap<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] words = line.strip().split("\\s+", 2);
      try {
        if (words.length != 2) {
          throw new IllegalArgumentException("got one word, expected 'role[,role] subject'");
        }
        callers.put(new X500Principal(words[1]), new Caller(words[1], Role.parse(words[0])));
      } catch (IllegalArgumentException wrong) {
        throw new IllegalArgumentException(
            "line %d: %s".formatted(number, wrong.getMessage()), wrong);
      }
    }
    return Map.copyOf(callers);
  }
}
