package dev.strata.gateway.registry;

import dev.strata.artifact.ArtifactSignature;
import dev.strata.artifact.SignatureKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/// Whether an artifact must be signed, and by whom.
///
/// @param strictness what happens to one that is not
/// @param keys whose signature counts
public record SignaturePolicy(Strictness strictness, List<PublicKey> keys) {

  private static final Logger LOG = Logger.getLogger(SignaturePolicy.class);

  public enum Strictness {
    /// Signatures are not looked at.
    OFF,
    /// It is served all the same, and the log says so.
    WARN,
    /// It is not served.
    REQUIRE
  }

  public static final SignaturePolicy NONE = new SignaturePolicy(Strictness.OFF, List.of());

  public SignaturePolicy {
    keys = List.copyOf(keys);
  }

  /// @param directory of public keys, `*.pub` or `*.pem`, one each
  /// @throws IOException if a file is no key, or there is none
  public static SignaturePolicy of(Strictness strictness, Path directory) throws IOException {
    List<PublicKey> keys = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(SignaturePolicy::isKey).sorted().toList()) {
        keys.add(SignatureKeys.publicKey(file));
      }
    }
    if (keys.isEmpty()) {
      throw new IOException("%s: got no *.pub or *.pem, expected public keys".formatted(directory));
    }
    return new SignaturePolicy(strictness, keys);
  }

  private static boolean isKey(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file) && (name.endsWith(".pub") || name.endsWith(".pem"));
  }

  /// @param what the model, for messages
  /// @param header length and header, which are what is signed
  /// @throws IOException if the artifact must not be served
  void check(String what, ArtifactSource source, byte[] header) throws IOException {
    if (strictness == Strictness.OFF) {
      return;
    }
    Optional<byte[]> signature = source.signature();
    if (signature.isPresent()
        && keys.stream().anyMatch(key -> ArtifactSignature.verify(header, signature.get(), key))) {
      return;
    }
    String problem =
        "signature: got %s, expected one by one of %d trusted keys"
            .formatted(signature.isPresent() ? "one that does not verify" : "none", keys.size());
    if (strictness == Strictness.REQUIRE) {
      throw new IOException(problem);
    }
    LOG.warnf("%s: %s; served all the same (strata.signature.policy=warn)", what, problem);
  }
}
