package dev.strata.gateway;

import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.registry.SignaturePolicy;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Every setting of the gateway.
@ConfigMapping(prefix = "strata")
public interface GatewayConfig {

  /// Address that REST and gRPC listen on. Only this machine unless it is changed.
  @WithDefault("127.0.0.1")
  String host();

  /// Directories of `name/version/model.strata`, in order of precedence.
  @WithDefault("repository")
  List<Path> repositories();

  /// Time between two looks at the repositories, 10 ms to 1 h.
  @WithDefault("1s")
  Duration repositoryPoll();

  /// Who decides what is loaded: `none` loads everything at the start, `poll` follows the
  /// repositories, `explicit` waits for load and unload calls.
  @WithDefault("poll")
  ModelRepository.Control modelControl();

  /// Under explicit control, models to load at the start; `*` for all.
  Optional<List<String>> load();

  Loading loading();

  Cache cache();

  Memory memory();

  Signature signature();

  Scheduling scheduling();

  Limits limits();

  Grpc grpc();

  Tls tls();

  Security security();

  Management management();

  Readiness readiness();

  Shutdown shutdown();

  /// One log line per request (category `strata.access`): protocol, what was asked, status, time.
  @WithDefault("false")
  boolean accessLog();

  /// Whether the console is served, at `/`.
  @WithDefault("true")
  boolean console();

  /// @return whether nobody but this machine can reach the server
  default boolean loopbackOnly() {
    return loopback(host()) && (management().port().isEmpty() || loopback(management().host()));
  }

  private static boolean loopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException unknown) {
      return false;
    }
  }

  interface Grpc {
    /// Port of gRPC on `host`, 0 to 65,535; 0 for any that is free.
    @WithDefault("9000")
    int port();

    /// Whether clients may ask for the schema; if absent, only where the server is not reachable
    /// from elsewhere.
    Optional<Boolean> reflection();

    /// Bytes of a message that may be under way before they are read, 64 KiB to 1 GiB.
    @WithDefault("8388608")
    int window();

    /// Age at which a connection is ended in peace, so that clients spread over new servers, 1 s to
    /// 1 day.
    @WithDefault("10m")
    Duration connectionAge();
  }

  /// Without a certificate both ports are plain.
  interface Tls {
    /// PEM file of the server's certificate and its chain; read anew when it changes.
    Optional<Path> certificate();

    /// PEM file of its private key, PKCS #8.
    Optional<Path> key();

    /// PEM file of the authorities whose client certificates are accepted.
    Optional<Path> clientCa();

    /// Whether a client must show a certificate: `none`, `request` or `require`.
    @WithDefault("none")
    ClientCertificates clientCertificates();
  }

  enum ClientCertificates {
    NONE,
    REQUEST,
    REQUIRE
  }

  /// Who may do what. Without any of these everybody may do everything, which a server refuses that
  /// others than this machine can reach.
  interface Security {
    /// File of API keys, a line each: name, roles, SHA-256 of the key.
    Optional<Path> apiKeys();

    /// File of client certificates' roles, a line each: roles, subject.
    Optional<Path> certificates();

    Tokens tokens();

    /// Lets everybody in who reaches the server, on purpose.
    @WithDefault("false")
    boolean open();
  }

  interface Tokens {
    /// Key set (JWKS) of the token's issuer: a file or an http(s) address.
    Optional<String> keys();

    /// The `iss` of good tokens.
    Optional<String> issuer();

    /// The `aud` of good tokens.
    Optional<String> audience();

    /// Claim that holds the roles, `/` between the levels of a nested one.
    @WithDefault("groups")
    String rolesClaim();
  }

  /// Metrics, probes, OpenAPI and the control of the repository on a port of their own.
  interface Management {
    /// 0 to 65,535; if absent, they are on the port of REST.
    OptionalInt port();

    @WithDefault("127.0.0.1")
    String host();
  }

  interface Readiness {
    /// Models that must be there for the server to be ready: `name`, or `name@4` if it must have
    /// that width.
    Optional<List<String>> models();
  }

  interface Shutdown {
    /// Time between "not ready" and the first refusal, 0 s to 10 min: what load balancers take to
    /// notice.
    @WithDefault("5s")
    Duration delay();

    /// Most time for what is under way after that, 0 s to 10 min.
    @WithDefault("30s")
    Duration timeout();
  }

  interface Loading {
    /// Loads at a time, 1 to 64.
    @WithDefault("2")
    int threads();

    /// How long a remote source may send nothing before the connection is taken up again, 100 ms
    /// to 1 h.
    @WithDefault("30s")
    Duration stall();
  }

  interface Cache {
    /// Private directory that artifacts are copied to before they are mapped; kept over restarts.
    /// If absent, a temporary one.
    Optional<Path> directory();

    /// Most bytes in it, 1 to 2^63-1.
    @WithDefault("68719476736")
    long maxBytes();
  }

  interface Memory {
    /// Most bytes of artifacts in memory, 1 to 2^63-1; no bound if absent.
    OptionalLong budgetBytes();

    /// How long a model is unused before it gives planes back to another, 0 to 1 day.
    @WithDefault("10s")
    Duration idle();
  }

  interface Signature {
    /// What becomes of an artifact without a signature by one of the keys: `off`, `warn`,
    /// `require`.
    @WithDefault("off")
    SignaturePolicy.Strictness policy();

    /// Directory of public keys, `*.pub` or `*.pem`; needed unless the policy is off.
    Optional<Path> keys();
  }

  interface Scheduling {
    /// Threads that compute, 1 to 1024; the number of processors if absent.
    OptionalInt workers();

    /// Most requests that wait, 1 to 1,000,000: a safety net for when they are so short that the
    /// bound on their work does not hold them.
    @WithDefault("10000")
    int queueCapacity();

    /// Whether flexible requests lose bits under overload before requests are refused.
    @WithDefault("true")
    boolean brownOut();
  }

  interface Limits {
    /// Bytes of one request on either protocol, decompressed, 1,024 to 2,147,483,647.
    @WithDefault("67108864")
    int messageBytes();

    /// Most decompressed bytes for each compressed one, 1 to 100,000.
    @WithDefault("100")
    int decompressionRatio();

    /// Bytes of all requests under way, 1,024 or more; a quarter of the memory if absent.
    OptionalLong bytesInFlight();

    /// Rows (first dimension) of one input, 1 to 1,000,000.
    @WithDefault("1024")
    int rows();

    /// Inputs of a request, and outputs it asks for, 1 to 1,024 each.
    @WithDefault("64")
    int tensors();

    /// Dimensions of a tensor, 1 to 64.
    @WithDefault("16")
    int rank();

    /// Bytes of one element of a BYTES tensor, such as an image, 1 to 1,073,741,824.
    @WithDefault("16777216")
    int elementBytes();

    /// Bytes of a request's id, 1 to 65,536.
    @WithDefault("256")
    int idBytes();

    /// Parameters of a request, of an input and of an output, 1 to 1,024 each.
    @WithDefault("64")
    int parameters();

    /// Bytes of a parameter's text, 1 to 1,048,576.
    @WithDefault("4096")
    int parameterBytes();

    /// Levels of JSON, 4 to 1,000.
    @WithDefault("32")
    int jsonDepth();

    /// Digits of a JSON number, 1 to 10,000.
    @WithDefault("64")
    int jsonDigits();

    /// Bytes of the headers or the metadata of a request, 1,024 to 1,048,576.
    @WithDefault("8192")
    int headerBytes();

    /// Requests under way on one connection, 1 to 100,000.
    @WithDefault("256")
    int streams();

    /// Requests a client may reset on one connection in 30 s, 1 to 1,000,000.
    @WithDefault("200")
    int resets();

    /// Time after which a connection without requests is closed, 1 s to 1 day.
    @WithDefault("5m")
    Duration idle();
  }
}
