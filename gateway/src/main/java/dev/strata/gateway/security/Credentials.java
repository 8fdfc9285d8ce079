package dev.strata.gateway.security;

import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.security.auth.x500.X500Principal;

/// What a call brings along to say who makes it.
///
/// @param authorization the header or metadata `authorization`
/// @param apiKey the header or metadata `x-api-key`
/// @param certificate subject of a client certificate that the transport has verified
public record Credentials(
    Optional<String> authorization, Optional<String> apiKey, Optional<X500Principal> certificate) {

  public static final String AUTHORIZATION = "authorization";
  public static final String API_KEY = "x-api-key";

  public static final Credentials NONE =
      new Credentials(Optional.empty(), Optional.empty(), Optional.empty());

  public Credentials {
    Objects.requireNonNull(authorization);
    Objects.requireNonNull(apiKey);
    Objects.requireNonNull(certificate);
  }

  /// @param session of the connection; empty without TLS
  public static Optional<X500Principal> subject(Optional<SSLSession> session) {
    if (session.isEmpty()) {
      return Optional.empty();
    }
    try {
      Certificate[] chain = session.get().getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate leaf
          ? Optional.of(leaf.getSubjectX500Principal())
          : Optional.empty();
    } catch (SSLPeerUnverifiedException none) {
      return Optional.empty();
    }
  }
}
