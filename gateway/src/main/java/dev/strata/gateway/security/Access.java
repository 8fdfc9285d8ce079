package dev.strata.gateway.security;

import dev.strata.gateway.GatewayConfig;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.inject.Singleton;
import java.util.Locale;
import java.util.Optional;
import org.jboss.logging.Logger;

/// Decides about every call before anything of it is read. Without any configured credentials a
/// server that only this machine can reach lets everybody in, and says so once; any other does not
/// start.
@Singleton
public final class Access {

  /// What becomes of a call.
  public sealed interface Decision {
    record Granted(Caller caller) implements Decision {}

    /// Nobody knows who it is.
    record Unauthenticated(String reason) implements Decision {}

    /// Known, and not allowed.
    record Forbidden(String reason) implements Decision {}
  }

  private static final Logger LOG = Logger.getLogger(Access.class);
  private static final String BEARER = "bearer ";
  private static final Caller ANYBODY = new Caller("anybody", Role.ALL);

  private final Optional<ApiKeys> apiKeys;
  private final Optional<Tokens> tokens;
  private final Optional<CertificateRoles> certificates;
  private final boolean open;

  Access(GatewayConfig config) {
    GatewayConfig.Security security = config.security();
    try {
      this.apiKeys = security.apiKeys().map(ApiKeys::new);
      this.certificates = security.certificates().map(CertificateRoles::new);
      this.tokens =
          security
              .tokens()
              .keys()
              .map(
                  keys ->
                      new Tokens(
                          keys,
                          required("security.tokens.issuer", security.tokens().issuer()),
                          required("security.tokens.audience", security.tokens().audience()),
                          security.tokens().rolesClaim()));
    } catch (IllegalArgumentException wrong) {
      throw new ConfigurationException("strata.security: " + wrong.getMessage());
    }
    this.open = apiKeys.isEmpty() && tokens.isEmpty() && certificates.isEmpty();
    if (open) {
      mayBeOpen(config);
    }
  }

  private static void mayBeOpen(GatewayConfig config) {
    if (config.security().open()) {
      LOG.warn(
          "strata.security.open: whoever reaches this server may ask, observe and administer it");
    } else if (config.loopbackOnly()) {
      LOG.warn("no credentials are configured: everybody on this machine may use this server");
    } else {
      throw new ConfigurationException(
          "strata.host: got %s without any credentials; configure strata.security.api-keys,"
                  .formatted(config.host())
              + " .tokens.keys or .certificates, or say strata.security.open=true to let"
              + " everybody in who reaches the server");
    }
  }

  private static String required(String setting, Optional<String> value) {
    return value.orElseThrow(
        () ->
            new ConfigurationException(
                "strata.%s: missing, expected with strata.security.tokens.keys"
                    .formatted(setting)));
  }

  public Decision decide(Permission permission, Credentials credentials) {
    if (permission == Permission.ANYONE || open) {
      return new Decision.Granted(ANYBODY);
    }
    Optional<Caller> caller;
    try {
      caller = identify(credentials);
    } catch (BadCredentialsException bad) {
      return new Decision.Unauthenticated(bad.getMessage());
    }
    if (caller.isEmpty()) {
      return new Decision.Unauthenticated(
          "no credentials, expected an API key, a bearer token or a client certificate");
    }
    if (!permission.allows(caller.get().roles())) {
      return new Decision.Forbidden(
          "'%s' may not do this; it needs the permission '%s'"
              .formatted(caller.get().name(), permission.name().toLowerCase(Locale.ROOT)));
    }
    return new Decision.Granted(caller.get());
  }

  /// The most deliberate credentials count: a key or token that is given must be good, whatever
  /// certificate comes with it.
  private Optional<Caller> identify(Credentials credentials) throws BadCredentialsException {
    if (credentials.apiKey().isPresent()) {
      return Optional.of(byKey(credentials.apiKey().get()));
    }
    if (credentials.authorization().isPresent()) {
      return Optional.of(byAuthorization(credentials.authorization().get()));
    }
    return certificates.flatMap(roles -> credentials.certificate().flatMap(roles::find));
  }

  private Caller byAuthorization(String header) throws BadCredentialsException {
    if (!header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      throw new BadCredentialsException("authorization: expected 'Bearer' and a token or API key");
    }
    String token = header.substring(BEARER.length()).strip();
    boolean signed = token.chars().filter(c -> c == '.').count() == 2;
    return signed && tokens.isPresent() ? tokens.get().caller(token) : byKey(token);
  }

  private Caller byKey(String key) throws BadCredentialsException {
    return apiKeys
        .flatMap(keys -> keys.find(key))
        .orElseThrow(() -> new BadCredentialsException("the API key is not known"));
  }
}
