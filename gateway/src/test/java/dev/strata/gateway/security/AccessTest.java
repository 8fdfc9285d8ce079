package dev.strata.gateway.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.strata.gateway.TestConfig;
import io.quarkus.runtime.configuration.ConfigurationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.keys.HmacKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessTest {

  @TempDir private Path directory;

  @Test
  void everyRoleMayDoWhatItsPermissionsSay() throws Exception {
    Access access = access(Map.of("strata.security.api-keys", keys().toString()));
    Map<String, List<Permission>> allowed =
        Map.of(
            "asker-key",
            List.of(Permission.ANYONE, Permission.INFER, Permission.DESCRIBE),
            "watcher-key",
            List.of(Permission.ANYONE, Permission.OBSERVE, Permission.DESCRIBE),
            "both-key",
            List.of(Permission.ANYONE, Permission.INFER, Permission.DESCRIBE, Permission.OBSERVE),
            "root-key",
            List.of(Permission.values()));
    allowed.forEach(
        (key, permissions) -> {
          for (Permission permission : Permission.values()) {
            assertEquals(
                permissions.contains(permission),
                access.decide(permission, key(key)) instanceof Access.Decision.Granted,
                key + " " + permission);
            assertEquals(
                access.decide(permission, key(key)).getClass(),
                access.decide(permission, bearer(key)).getClass());
          }
        });
  }

  @Test
  void withoutGoodCredentialsOnlyProbesAreAnswered() throws Exception {
    Access access = access(Map.of("strata.security.api-keys", keys().toString()));
    for (Permission permission : Permission.values()) {
      for (Credentials wrong :
          List.of(
              Credentials.NONE,
              key("asker-key "),
              key(""),
              key("asker"),
              bearer("a.b.c"),
              new Credentials(Optional.of("Basic eA=="), Optional.empty(), Optional.empty()),
              certificate("CN=anybody"))) {
        if (permission != Permission.ANYONE) {
          assertInstanceOf(Access.Decision.Unauthenticated.class, access.decide(permission, wrong));
        }
      }
    }
  }

  @Test
  void aChangedFileCountsAndAWrongOneDoesNot() throws Exception {
    Path file = keys();
    Access access = access(Map.of("strata.security.api-keys", file.toString()));
    granted(access, "asker-key");
    write(file, "asker infer nonsense");
    granted(access, "asker-key");
    write(file, "asker infer " + hash("another-key"));
    await(access, "another-key");
    assertInstanceOf(
        Access.Decision.Unauthenticated.class, access.decide(Permission.INFER, key("asker-key")));
  }

  @Test
  void wrongFilesStopTheStartWithLineGotAndExpected() throws IOException {
    for (Map.Entry<String, String> wrong :
        Map.of(
                "a infer", "line 1: got 2 words, expected 'name role[,role] sha256'",
                "\n# x\na boss 00", "line 3: role: got 'boss', expected infer, observe or admin",
                "a infer 00", "line 1: hash: got 1 bytes, expected 32",
                "a infer zz", "line 1: ")
            .entrySet()) {
      Path file = Files.writeString(directory.resolve("keys"), wrong.getKey());
      refused(wrong.getValue(), Map.of("strata.security.api-keys", file.toString()));
    }
    refused("nowhere", Map.of("strata.security.api-keys", "/nowhere"));
    Path roles = Files.writeString(directory.resolve("roles"), "infer not a name");
    refused("line 1: ", Map.of("strata.security.certificates", roles.toString()));
  }

  @Test
  void tokensOfTheRightIssuerCarryTheirRoles() throws Exception {
    RsaJsonWebKey pair = RsaJwkGenerator.generateJwk(2048);
    pair.setKeyId("one");
    Access access = access(tokens(pair));
    assertGranted(Permission.INFER, access, token(pair, claims()));
    JwtClaims observer = claims();
    observer.setClaim("realm", Map.of("roles", "observe other"));
    assertGranted(Permission.OBSERVE, access, token(pair, observer));
    assertInstanceOf(
        Access.Decision.Forbidden.class,
        access.decide(Permission.ADMIN, bearer(token(pair, observer))));
    JwtClaims none = claims();
    none.unsetClaim("realm");
    assertInstanceOf(
        Access.Decision.Forbidden.class,
        access.decide(Permission.INFER, bearer(token(pair, none))));
  }

  @Test
  void forgedExpiredAndForeignTokensAreRefused() throws Exception {
    RsaJsonWebKey pair = RsaJwkGenerator.generateJwk(2048);
    pair.setKeyId("one");
    RsaJsonWebKey forger = RsaJwkGenerator.generateJwk(2048);
    forger.setKeyId("one");
    Access access = access(tokens(pair));
    JwtClaims expired = claims();
    expired.setExpirationTime(NumericDate.fromSeconds(Instant.now().getEpochSecond() - 3600));
    JwtClaims foreign = claims();
    foreign.setIssuer("https://elsewhere.example");
    JwtClaims otherAudience = claims();
    otherAudience.setAudience("somebody");
    JwtClaims eternal = claims();
    eternal.unsetClaim("exp");
    String good = token(pair, claims());
    JsonWebSignature shared = new JsonWebSignature();
    shared.setPayload(claims().toJson());
    shared.setKeyIdHeaderValue("one");
    shared.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
    shared.setKey(new HmacKey(pair.getPublicKey().getEncoded()));
    JsonWebSignature unsigned = new JsonWebSignature();
    unsigned.setAlgorithmConstraints(org.jose4j.jwa.AlgorithmConstraints.NO_CONSTRAINTS);
    unsigned.setPayload(claims().toJson());
    unsigned.setAlgorithmHeaderValue(AlgorithmIdentifiers.NONE);
    for (String wrong :
        List.of(
            token(forger, claims()),
            token(pair, expired),
            token(pair, foreign),
            token(pair, otherAudience),
            token(pair, eternal),
            good.substring(0, good.length() - 8) + "AAAAAAAA",
            shared.getCompactSerialization(),
            unsigned.getCompactSerialization())) {
      assertInstanceOf(
          Access.Decision.Unauthenticated.class, access.decide(Permission.INFER, bearer(wrong)));
    }
  }

  @Test
  void certificatesHaveTheRolesOfTheirSubjects() throws IOException {
    Path roles =
        Files.writeString(
            directory.resolve("roles"), "# who\nobserve CN=reader, O=Example\nadmin CN=root\n");
    Access access = access(Map.of("strata.security.certificates", roles.toString()));
    assertInstanceOf(
        Access.Decision.Granted.class,
        access.decide(Permission.OBSERVE, certificate("cn=reader,o=Example")));
    assertInstanceOf(
        Access.Decision.Forbidden.class,
        access.decide(Permission.INFER, certificate("CN=reader, O=Example")));
    assertInstanceOf(
        Access.Decision.Unauthenticated.class,
        access.decide(Permission.INFER, certificate("CN=reader")));
  }

  @Test
  void onlyAServerThatNobodyElseReachesStartsWithoutCredentials() {
    assertInstanceOf(
        Access.Decision.Granted.class, access(Map.of()).decide(Permission.ADMIN, Credentials.NONE));
    refused("strata.security.open=true", Map.of("strata.host", "0.0.0.0"));
    refused(
        "strata.host", Map.of("strata.management.port", "0", "strata.management.host", "0.0.0.0"));
    assertInstanceOf(
        Access.Decision.Granted.class,
        access(Map.of("strata.host", "0.0.0.0", "strata.security.open", "true"))
            .decide(Permission.ADMIN, Credentials.NONE));
  }

  private Map<String, String> tokens(RsaJsonWebKey pair) throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("jwks.json"),
            new JsonWebKeySet(pair).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));
    return Map.of(
        "strata.security.tokens.keys", file.toString(),
        "strata.security.tokens.issuer", "https://issuer.example",
        "strata.security.tokens.audience", "strata",
        "strata.security.tokens.roles-claim", "realm/roles");
  }

  private static JwtClaims claims() {
    JwtClaims claims = new JwtClaims();
    claims.setSubject("somebody");
    claims.setIssuer("https://issuer.example");
    claims.setAudience("strata");
    claims.setExpirationTimeMinutesInTheFuture(5);
    claims.setClaim("realm", Map.of("roles", List.of("infer", "something")));
    return claims;
  }

  private static String token(RsaJsonWebKey pair, JwtClaims claims) throws Exception {
    JsonWebSignature token = new JsonWebSignature();
    token.setPayload(claims.toJson());
    token.setKeyIdHeaderValue(pair.getKeyId());
    token.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
    token.setKey(pair.getPrivateKey());
    return token.getCompactSerialization();
  }

  private Path keys() throws Exception {
    return Files.writeString(
        directory.resolve("keys"),
        """
        # who may do what
        asker infer %s
        watcher observe %s
        both infer,observe %s

        root admin %s
        """
            .formatted(hash("asker-key"), hash("watcher-key"), hash("both-key"), hash("root-key")));
  }

  private static void write(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(text.length())));
  }

  private static void await(Access access, String key) throws InterruptedException {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!(access.decide(Permission.INFER, key(key)) instanceof Access.Decision.Granted)) {
      assertTrue(System.nanoTime() < end, "the new key is not known");
      Thread.sleep(50);
    }
  }

  private static void granted(Access access, String key) {
    assertInstanceOf(Access.Decision.Granted.class, access.decide(Permission.INFER, key(key)));
  }

  private static void assertGranted(Permission permission, Access access, String token) {
    assertInstanceOf(Access.Decision.Granted.class, access.decide(permission, bearer(token)));
  }

  private static Credentials key(String key) {
    return new Credentials(Optional.empty(), Optional.of(key), Optional.empty());
  }

  private static Credentials bearer(String token) {
    return new Credentials(Optional.of("Bearer " + token), Optional.empty(), Optional.empty());
  }

  private static Credentials certificate(String subject) {
    return new Credentials(
        Optional.empty(), Optional.empty(), Optional.of(new X500Principal(subject)));
  }

  private static void refused(String reason, Map<String, String> settings) {
    ConfigurationException refused =
        assertThrows(ConfigurationException.class, () -> access(settings));
    assertTrue(refused.getMessage().contains(reason), refused.getMessage());
  }

  private static Access access(Map<String, String> settings) {
    return new Access(TestConfig.with(settings));
  }

  static String hash(String key) throws Exception {
    return HexFormat.of()
        .formatHex(
            MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
  }
}
