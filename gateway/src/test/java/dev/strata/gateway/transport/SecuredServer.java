package dev.strata.gateway.transport;

import dev.strata.gateway.security.KeyPairs;
import io.quarkus.test.junit.QuarkusTestProfile;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/// Everything on: TLS with client certificates on both ports, API keys, roles of certificates,
/// and a port for management.
public final class SecuredServer implements QuarkusTestProfile {

  static final Path DIRECTORY = directory();
  static final int MANAGEMENT_PORT = freePort();
  static final String INFER = "key-of-the-asker";
  static final String OBSERVE = "key-of-the-watcher";
  static final String ADMIN = "key-of-the-administrator";

  private static final Map<String, String> SETTINGS = settings();

  @Override
  public Map<String, String> getConfigOverrides() {
    return SETTINGS;
  }

  private static Map<String, String> settings() {
    try {
      KeyPairs server = KeyPairs.make(DIRECTORY, "server", "CN=localhost");
      KeyPairs plain = KeyPairs.make(DIRECTORY, "plain", "CN=plain");
      KeyPairs watcher = KeyPairs.make(DIRECTORY, "watcher", "CN=watcher, O=Example");
      KeyPairs.make(DIRECTORY, "stranger", "CN=watcher, O=Example");
      Path trusted = DIRECTORY.resolve("trusted.crt");
      Files.writeString(
          trusted, Files.readString(plain.certificate()) + Files.readString(watcher.certificate()));
      Path keys = DIRECTORY.resolve("keys");
      Files.writeString(
          keys,
          "asker infer %s\nwatcher observe %s\nroot admin %s\n"
              .formatted(hash(INFER), hash(OBSERVE), hash(ADMIN)));
      Path roles = DIRECTORY.resolve("roles");
      Files.writeString(roles, "observe CN=watcher, O=Example\n");
      Map<String, String> settings = new LinkedHashMap<>();
      settings.put("strata.tls.certificate", server.certificate().toString());
      settings.put("strata.tls.key", server.key().toString());
      settings.put("strata.tls.client-ca", trusted.toString());
      settings.put("strata.tls.client-certificates", "require");
      settings.put("strata.security.api-keys", keys.toString());
      settings.put("strata.security.certificates", roles.toString());
      settings.put("strata.management.port", Integer.toString(MANAGEMENT_PORT));
      settings.put("strata.grpc.reflection", "true");
      settings.put("strata.access-log", "true");
      return Map.copyOf(settings);
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  private static String hash(String key) throws Exception {
    return HexFormat.of()
        .formatHex(
            MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
  }

  private static Path directory() {
    try {
      Path directory = Files.createTempDirectory("strata-secured");
      directory.toFile().deleteOnExit();
      return directory;
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }
}
