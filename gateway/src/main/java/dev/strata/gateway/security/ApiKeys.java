package dev.strata.gateway.security;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// API keys out of a file that does not hold them: each line is `name role[,role] sha256`, the hash
/// in hexadecimal. A key is random and long, so its hash needs no salt and no work factor.
final class ApiKeys {

  private static final int HASH_BYTES = 32;

  @SuppressWarnings("ArrayRecordComponent")
  private record Entry(Caller caller, byte[] hash) {}

  private final WatchedFile<List<Entry>> file;

  /// @throws IllegalArgumentException naming the line that is wrong
  ApiKeys(Path path) {
    this.file = new WatchedFile<>(path, ApiKeys::parse);
  }

  /// The time it takes does not tell how much of a key was right, nor which one.
  Optional<Caller> find(String key) {
    byte[] hash = sha256(key);
    Optional<Caller> found = Optional.empty();
    for (Entry entry : file.value()) {
      if (MessageDigest.isEqual(entry.hash(), hash)) {
        found = Optional.of(entry.caller());
      }
    }
    return found;
  }

  private static List<Entry> parse(String text) {
    List<Entry> entries = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (!line.isBlank() && !line.startsWith("#")) {
        try {
          entries.add(entry(line.strip().split("\\s+", -1)));
        } catch (IllegalArgumentException wrong) {
          throw new IllegalArgumentException(
              "line %d: %s".formatted(number, wrong.getMessage()), wrong);
        }
      }
    }
    return List.copyOf(entries);
  }

  private static Entry entry(String[] words) {
    if (words.length != 3) {
      throw new IllegalArgumentException(
          "got %d words, expected 'name role[,role] sha256'".formatted(words.length));
    }
    Caller caller = new Caller(words[0], Role.parse(words[1]));
    byte[] hash = HexFormat.of().parseHex(words[2]);
    if (hash.length != HASH_BYTES) {
      throw new IllegalArgumentException(
          "hash: got %d bytes, expected %d".formatted(hash.length, HASH_BYTES));
    }
    return new Entry(caller, hash);
  }

  private static byte[] sha256(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError("every platform has SHA-256", impossible);
    }
  }
}
