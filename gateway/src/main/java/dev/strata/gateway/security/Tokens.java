package dev.strata.gateway.security;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.JwksVerificationKeyResolver;
import org.jose4j.lang.JoseException;

/// Bearer tokens of an OpenID Connect provider: JSON Web Tokens signed with one of its public keys,
/// not expired, from the right issuer and for this audience. A claim holds the roles.
final class Tokens {

  private static final Logger LOG = Logger.getLogger(Tokens.class);
  private static final int SKEW_SECONDS = 30;
  private static final Duration FETCH = Duration.ofSeconds(10);
  private static final Duration REFRESH = Duration.ofMinutes(5);

  /// Only signatures with a key pair: nobody who can verify a token can make one.
  private static final String[] ALGORITHMS = {
    AlgorithmIdentifiers.RSA_USING_SHA256,
    AlgorithmIdentifiers.RSA_USING_SHA384,
    AlgorithmIdentifiers.RSA_USING_SHA512,
    AlgorithmIdentifiers.RSA_PSS_USING_SHA256,
    AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256,
    AlgorithmIdentifiers.ECDSA_USING_P384_CURVE_AND_SHA384,
    AlgorithmIdentifiers.EDDSA
  };

  private final JwtConsumer consumer;
  private final List<String> rolesClaim;

  /// @param keys the provider's key set (JWKS): a file, or an http(s) address that is read now and
  /// again every five minutes
  /// @param rolesClaim name of the claim, with `/` between the levels of a nested one
  /// @throws IllegalArgumentException if a file cannot be read or an address is none
  Tokens(String keys, String issuer, String audience, String rolesClaim) {
    Supplier<List<JsonWebKey>> current = keys(keys);
    this.rolesClaim = List.of(rolesClaim.split("/", -1));
    this.consumer =
        new JwtConsumerBuilder()
            .setRequireExpirationTime()
            .setRequireSubject()
            .setAllowedClockSkewInSeconds(SKEW_SECONDS)
            .setExpectedIssuer(issuer)
            .setExpectedAudience(audience)
            .setJwsAlgorithmConstraints(AlgorithmConstraints.ConstraintType.PERMIT, ALGORITHMS)
            .setVerificationKeyResolver(
                (signature, nested) ->
                    new JwksVerificationKeyResolver(current.get()).resolveKey(signature, nested))
            .build();
  }

  Caller caller(String token) throws BadCredentialsException {
    try {
      JwtClaims claims = consumer.processToClaims(token);
      return new Caller(claims.getSubject(), roles(claims));
    } catch (InvalidJwtException invalid) {
      LOG.debugf("token refused: %s", invalid.getMessage());
      throw new BadCredentialsException(
          invalid.hasExpired() ? "the token has expired" : "the token is not valid here");
    } catch (MalformedClaimException malformed) {
      throw new BadCredentialsException("the token's claims are malformed");
    }
  }

  private Set<Role> roles(JwtClaims claims) {
    Object claim = claims.getClaimsMap();
    for (String level : rolesClaim) {
      claim = claim instanceof Map<?, ?> map ? map.get(level) : null;
    }
    return switch (claim) {
      case Collection<?> words ->
          Role.among(words.stream().map(String::valueOf).collect(Collectors.toSet()));
      case String words -> Role.among(Arrays.asList(words.split(" ", -1)));
      case null, default -> Set.of();
    };
  }

  private static Supplier<List<JsonWebKey>> keys(String source) {
    if (source.startsWith("https://") || source.startsWith("http://")) {
      return new Fetched(URI.create(source));
    }
    WatchedFile<List<JsonWebKey>> file = new WatchedFile<>(Path.of(source), Tokens::parse);
    return file::value;
  }

  private static List<JsonWebKey> parse(String json) {
    try {
      return new JsonWebKeySet(json).getJsonWebKeys();
    } catch (JoseException malformed) {
      throw new IllegalArgumentException("not a JSON Web Key Set: " + malformed.getMessage());
    }
  }

  /// Keys from an address, fetched beside the requests, which never wait for it.
  private static final class Fetched implements Supplier<List<JsonWebKey>> {
    private final URI address;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(FETCH).build();
    private volatile List<JsonWebKey> keys = List.of();

    Fetched(URI address) {
      this.address = address;
      var _ = Thread.ofVirtual().name("strata-token-keys").start(this::run);
    }

    @Override
    public List<JsonWebKey> get() {
      return keys;
    }

    private void run() {
      while (true) {
        try {
          HttpResponse<String> answer =
              client.send(
                  HttpRequest.newBuilder(address).timeout(FETCH).build(),
                  HttpResponse.BodyHandlers.ofString());
          keys = parse(answer.body());
        } catch (IOException | IllegalArgumentException failure) {
          LOG.errorf("%s: token keys not read: %s", address, failure.getMessage());
        } catch (InterruptedException stop) {
          return;
        }
        // An empty set lets nobody in, so that is tried again soon.
        LockSupport.parkNanos((keys.isEmpty() ? FETCH : REFRESH).toNanos());
      }
    }
  }
}
