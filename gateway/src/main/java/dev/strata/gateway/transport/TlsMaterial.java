package dev.strata.gateway.transport;

import dev.strata.gateway.GatewayConfig;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;

/// The server's certificate and the authorities it trusts, one copy for both ports. The files are
/// looked at again every few seconds; connections made after a change see the new ones.
@Singleton
public final class TlsMaterial {

  private static final Logger LOG = Logger.getLogger(TlsMaterial.class);
  private static final int LOOK_SECONDS = 5;

  /// @param trust of client certificates; empty if none is asked for
  public record Material(
      AdvancedTlsX509KeyManager key,
      Optional<AdvancedTlsX509TrustManager> trust,
      GatewayConfig.ClientCertificates clients) {}

  private final ScheduledExecutorService reloading =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("strata-tls").factory());
  private final Optional<Material> material;

  TlsMaterial(GatewayConfig config) {
    GatewayConfig.Tls tls = config.tls();
    if (tls.certificate().isEmpty()) {
      if (tls.key().isPresent()
          || tls.clientCa().isPresent()
          || tls.clientCertificates() != GatewayConfig.ClientCertificates.NONE) {
        throw new ConfigurationException(
            "strata.tls.certificate: missing, expected with the other settings of strata.tls");
      }
      this.material = Optional.empty();
      return;
    }
    File key = required("key", tls.key()).toFile();
    try {
      AdvancedTlsX509KeyManager keyManager = new AdvancedTlsX509KeyManager();
      File certificate = tls.certificate().get().toFile();
      watch(
          List.of(certificate.toPath(), key.toPath()),
          () -> keyManager.updateIdentityCredentials(certificate, key));
      this.material = Optional.of(new Material(keyManager, trust(tls), tls.clientCertificates()));
    } catch (IOException | GeneralSecurityException | RuntimeException unusable) {
      if (unusable instanceof ConfigurationException told) {
        throw told;
      }
      throw new ConfigurationException("strata.tls: " + unusable);
    }
  }

  private Optional<AdvancedTlsX509TrustManager> trust(GatewayConfig.Tls tls)
      throws IOException, GeneralSecurityException {
    if (tls.clientCertificates() == GatewayConfig.ClientCertificates.NONE) {
      return Optional.empty();
    }
    AdvancedTlsX509TrustManager trust =
        AdvancedTlsX509TrustManager.newBuilder()
            .setVerification(AdvancedTlsX509TrustManager.Verification.CERTIFICATE_ONLY_VERIFICATION)
            .build();
    Path authorities = required("client-ca", tls.clientCa());
    watch(List.of(authorities), () -> trust.updateTrustCredentials(authorities.toFile()));
    return Optional.of(trust);
  }

  private interface Load {
    void run() throws IOException, GeneralSecurityException;
  }

  /// Loads files now, and again when they have changed. (The managers can watch files themselves,
  /// but not more often than once a minute.)
  private void watch(List<Path> files, Load load) throws IOException, GeneralSecurityException {
    AtomicReference<List<FileTime>> loaded = new AtomicReference<>(times(files));
    load.run();
    var _ =
        reloading.scheduleWithFixedDelay(
            () -> {
              try {
                List<FileTime> now = times(files);
                if (!now.equals(loaded.getAndSet(now))) {
                  load.run();
                  LOG.infof("%s: read anew", files);
                }
              } catch (IOException | GeneralSecurityException | RuntimeException unusable) {
                LOG.errorf("%s: still using what was there before: %s", files, unusable);
              }
            },
            LOOK_SECONDS,
            LOOK_SECONDS,
            TimeUnit.SECONDS);
  }

  private static List<FileTime> times(List<Path> files) throws IOException {
    List<FileTime> times = new ArrayList<>();
    for (Path file : files) {
      times.add(Files.getLastModifiedTime(file));
    }
    return times;
  }

  private static Path required(String setting, Optional<Path> path) {
    return path.orElseThrow(
        () -> new ConfigurationException("strata.tls.%s: missing, expected".formatted(setting)));
  }

  public Optional<Material> material() {
    return material;
  }

  @PreDestroy
  void stop() {
    reloading.shutdownNow();
  }
}
