package dev.strata.gateway.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.strata.gateway.protocol.TinyRepository;
import dev.strata.gateway.security.Endpoints;
import dev.strata.gateway.security.KeyPairs;
import dev.strata.gateway.security.Permission;
import dev.strata.gateway.security.Role;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.ext.web.Router;
import jakarta.inject.Inject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;

/// The running server with everything on, over real sockets.
@QuarkusTest
@TestProfile(SecuredServer.class)
@QuarkusTestResource(TinyRepository.class)
class SecurityTest {

  private static final Map<Role, String> KEYS =
      Map.of(
          Role.INFER, SecuredServer.INFER,
          Role.OBSERVE, SecuredServer.OBSERVE,
          Role.ADMIN, SecuredServer.ADMIN);

  private record Asked(String method, String path) {}

  @Inject Router router;
  @Inject GrpcTransport grpc;
  @TestHTTPResource URI root;

  @Test
  void noRouteIsOpenToThoseWhoMayNot() throws Exception {
    try (HttpClient client = client("plain")) {
      Set<Asked> all = routes(client);
      assertTrue(all.size() > 15, all.toString());
      for (Asked asked : all) {
        Permission permission = Endpoints.route(asked.method(), asked.path()).permission();
        check(client, asked, permission, Optional.empty(), 401);
        for (Role role : Role.values()) {
          if (!permission.allows(Set.of(role))) {
            check(client, asked, permission, Optional.of(role), 403);
          } else if (asked.method().equals("GET")) {
            int status = send(client, asked, Optional.of(KEYS.get(role))).statusCode();
            assertTrue(status != 401 && status != 403, asked + " as " + role + ": " + status);
          }
        }
      }
    }
  }

  private void check(
      HttpClient client, Asked asked, Permission permission, Optional<Role> role, int refused)
      throws Exception {
    if (permission != Permission.ANYONE) {
      HttpResponse<String> answer = send(client, asked, role.map(KEYS::get));
      assertEquals(refused, answer.statusCode(), asked + " as " + role + ": " + answer.body());
      assertTrue(answer.body().startsWith("{\"error\":\""), answer.body());
      assertEquals(refused == 401, answer.headers().firstValue("WWW-Authenticate").isPresent());
    }
  }

  /// What the document lists, what the router holds, and what nobody has added yet.
  private Set<Asked> routes(HttpClient client) throws Exception {
    Set<Asked> all = new LinkedHashSet<>();
    HttpResponse<String> document =
        send(
            client, new Asked("GET", "/q/openapi?format=json"), Optional.of(SecuredServer.OBSERVE));
    JsonNode paths = new ObjectMapper().readTree(document.body()).get("paths");
    paths.forEachEntry(
        (path, methods) ->
            methods
                .fieldNames()
                .forEachRemaining(
                    method ->
                        all.add(new Asked(method.toUpperCase(java.util.Locale.ROOT), real(path)))));
    router
        .getRoutes()
        .forEach(
            route -> {
              if (route.getPath() != null && !route.getPath().equals("/")) {
                all.add(new Asked("GET", real(route.getPath()).replace("*", "")));
              }
            });
    all.add(new Asked("GET", "/added/by/somebody/who/forgot"));
    all.add(new Asked("POST", "/v2/models/tiny/new-verb"));
    all.add(new Asked("DELETE", "/v2/models/tiny"));
    all.add(new Asked("GET", "/v2/models/tiny/%69nfer/x"));
    return all;
  }

  private static String real(String path) {
    return path.replace("{model}", "tiny").replace("{version}", "2").replaceAll("\\{.*?}", "x");
  }

  @Test
  void noProcedureIsOpenToThoseWhoMayNot() throws Exception {
    ManagedChannel channel = channel("plain");
    try {
      List<String> names = new ArrayList<>();
      for (ServerServiceDefinition service : grpc.services()) {
        for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
          names.add(method.getMethodDescriptor().getFullMethodName());
        }
      }
      assertTrue(names.contains("grpc.health.v1.Health/Check"), names.toString());
      assertTrue(
          names.contains("grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
          names.toString());
      assertTrue(names.size() > 10, names.toString());
      for (String name : names) {
        Permission permission = Endpoints.procedure(name);
        if (permission == Permission.ANYONE) {
          continue;
        }
        assertEquals(Status.Code.UNAUTHENTICATED, call(channel, name, Optional.empty()), name);
        for (Role role : Role.values()) {
          if (!permission.allows(Set.of(role))) {
            assertEquals(
                Status.Code.PERMISSION_DENIED,
                call(channel, name, Optional.of(KEYS.get(role))),
                name + " as " + role);
          }
        }
      }
      assertEquals(
          Status.Code.OK,
          call(channel, "inference.GRPCInferenceService/ServerReady", Optional.empty()));
      assertEquals(
          Status.Code.OK,
          call(
              channel,
              "inference.GRPCInferenceService/ServerMetadata",
              Optional.of(SecuredServer.INFER)));
      assertEquals(
          Status.Code.NOT_FOUND,
          call(
              channel,
              "inference.GRPCInferenceService/ModelInfer",
              Optional.of(SecuredServer.INFER)));
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void aClientWithoutAGoodCertificateGetsNoConnection() throws Exception {
    for (Optional<String> who : List.of(Optional.<String>empty(), Optional.of("stranger"))) {
      try (HttpClient client = client(who)) {
        assertThrows(
            IOException.class,
            () -> send(client, new Asked("GET", "/v2/health/live"), Optional.empty()),
            () -> "REST without a certificate, as " + who);
      }
      ManagedChannel channel = channel(who);
      try {
        assertEquals(
            Status.Code.UNAVAILABLE,
            call(channel, "inference.GRPCInferenceService/ServerLive", Optional.empty()),
            "gRPC as " + who);
      } finally {
        channel.shutdownNow();
      }
    }
    ManagedChannel plain =
        NettyChannelBuilder.forAddress("localhost", grpc.port()).usePlaintext().build();
    try {
      assertNotEquals(
          Status.Code.OK,
          call(plain, "inference.GRPCInferenceService/ServerLive", Optional.empty()));
    } finally {
      plain.shutdownNow();
    }
  }

  @Test
  void aCertificateIsAnIdentity() throws Exception {
    try (HttpClient client = client("watcher")) {
      assertEquals(200, send(client, new Asked("GET", "/metrics"), Optional.empty()).statusCode());
      assertEquals(
          403,
          send(client, new Asked("POST", "/v2/models/tiny/infer"), Optional.empty()).statusCode());
    }
    ManagedChannel channel = channel("watcher");
    try {
      assertEquals(
          Status.Code.OK,
          call(channel, "inference.GRPCInferenceService/RepositoryIndex", Optional.empty()));
      assertEquals(
          Status.Code.PERMISSION_DENIED,
          call(channel, "inference.GRPCInferenceService/ModelInfer", Optional.empty()));
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void managementIsOnItsOwnPortAndNowhereElse() throws Exception {
    try (HttpClient client = client("plain")) {
      awaitReady(client);
      for (String path : List.of("/metrics", "/q/health/ready", "/q/openapi")) {
        assertEquals(200, at(client, SecuredServer.MANAGEMENT_PORT, path).statusCode(), path);
        assertEquals(404, at(client, root.getPort(), path).statusCode(), path);
      }
      assertEquals(404, at(client, SecuredServer.MANAGEMENT_PORT, "/v2/models/tiny").statusCode());
      assertEquals(200, at(client, root.getPort(), "/v2/models/tiny").statusCode());
    }
  }

  /// The models are loaded while the server answers already.
  private void awaitReady(HttpClient client) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (at(client, SecuredServer.MANAGEMENT_PORT, "/q/health/ready").statusCode() != 200
        && System.nanoTime() < end) {
      Thread.sleep(20);
    }
  }

  @Test
  void aNewCertificateIsShownWithoutARestart() throws Exception {
    X509Certificate before = shown();
    KeyPairs next = KeyPairs.make(SecuredServer.DIRECTORY, "next", "CN=localhost, O=Renewed");
    Path certificate = SecuredServer.DIRECTORY.resolve("server.crt");
    Path key = SecuredServer.DIRECTORY.resolve("server.key");
    Path oldCertificate = SecuredServer.DIRECTORY.resolve("old.crt");
    Path oldKey = SecuredServer.DIRECTORY.resolve("old.key");
    Files.copy(certificate, oldCertificate, StandardCopyOption.REPLACE_EXISTING);
    Files.copy(key, oldKey, StandardCopyOption.REPLACE_EXISTING);
    try {
      Files.copy(next.key(), key, StandardCopyOption.REPLACE_EXISTING);
      Files.copy(next.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (shown().equals(before)) {
        assertTrue(System.nanoTime() < end, "the old certificate is still shown");
        Thread.sleep(250);
      }
      assertEquals("CN=localhost,O=Renewed", shown().getSubjectX500Principal().getName());
    } finally {
      Files.copy(oldKey, key, StandardCopyOption.REPLACE_EXISTING);
      Files.copy(oldCertificate, certificate, StandardCopyOption.REPLACE_EXISTING);
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!shown().equals(before) && System.nanoTime() < end) {
        Thread.sleep(250);
      }
    }
  }

  /// The certificate that REST shows now, whoever signed it.
  private X509Certificate shown() throws Exception {
    SSLContext context = context(Optional.of("plain"), Optional.empty());
    try (var socket =
        (javax.net.ssl.SSLSocket)
            context.getSocketFactory().createSocket("localhost", root.getPort())) {
      socket.startHandshake();
      return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }
  }

  private HttpResponse<String> at(HttpClient client, int port, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create("https://localhost:" + port + path))
            .header("X-Api-Key", SecuredServer.ADMIN)
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> send(HttpClient client, Asked asked, Optional<String> key)
      throws IOException, InterruptedException {
    boolean management =
        Endpoints.route(asked.method(), asked.path().split("\\?", -1)[0]).management();
    int port = management ? SecuredServer.MANAGEMENT_PORT : root.getPort();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("https://localhost:" + port + asked.path()))
            .method(asked.method(), HttpRequest.BodyPublishers.noBody());
    key.ifPresent(value -> request.header("Authorization", "Bearer " + value));
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static HttpClient client(String who) throws Exception {
    return client(Optional.of(who));
  }

  private static HttpClient client(Optional<String> who) throws Exception {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .sslContext(context(who, Optional.of(SecuredServer.DIRECTORY.resolve("server.p12"))))
        .build();
  }

  private ManagedChannel channel(String who) throws Exception {
    return channel(Optional.of(who));
  }

  private ManagedChannel channel(Optional<String> who) throws Exception {
    TlsChannelCredentials.Builder credentials =
        TlsChannelCredentials.newBuilder()
            .trustManager(SecuredServer.DIRECTORY.resolve("server.crt").toFile());
    if (who.isPresent()) {
      credentials.keyManager(
          SecuredServer.DIRECTORY.resolve(who.get() + ".crt").toFile(),
          SecuredServer.DIRECTORY.resolve(who.get() + ".key").toFile());
    }
    return NettyChannelBuilder.forAddress("localhost", grpc.port(), credentials.build()).build();
  }

  private static Status.Code call(ManagedChannel channel, String name, Optional<String> key) {
    Metadata metadata = new Metadata();
    key.ifPresent(
        value ->
            metadata.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), value));
    Channel with =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata));
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(name)
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
    try {
      byte[] _ =
          ClientCalls.blockingUnaryCall(
              with,
              method,
              CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(20)),
              new byte[0]);
      return Status.Code.OK;
    } catch (StatusRuntimeException refused) {
      return refused.getStatus().getCode();
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException failure) {
        throw new AssertionError(failure);
      }
    }
  }

  /// @param trusted store of the server's certificate; empty to look at whatever it shows
  private static SSLContext context(Optional<String> who, Optional<Path> trusted) throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    if (who.isPresent()) {
      keys.init(
          KeyPairs.keys(SecuredServer.DIRECTORY.resolve(who.get() + ".p12")), KeyPairs.PASSWORD);
    }
    SSLContext context = SSLContext.getInstance("TLS");
    if (trusted.isEmpty()) {
      context.init(keys.getKeyManagers(), new javax.net.ssl.TrustManager[] {new Blind()}, null);
      return context;
    }
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    roots.setCertificateEntry("server", KeyPairs.keys(trusted.get()).getCertificate("server"));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    context.init(who.isPresent() ? keys.getKeyManagers() : null, trust.getTrustManagers(), null);
    return context;
  }

  private static final class Blind extends javax.net.ssl.X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkClientTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public void checkServerTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
