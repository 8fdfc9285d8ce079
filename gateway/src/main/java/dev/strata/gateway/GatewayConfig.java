package dev.strata.gateway;

import dev.strata.gateway.registry.ModelRepository;
import dev.strata.gateway.registry.SignaturePolicy;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
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
    /// Bytes of one request on either protocol, 1,024 to 2,147,483,647.
    @WithDefault("67108864")
    int messageBytes();

    /// Rows (first dimension) of one input, 1 to 1,000,000.
    @WithDefault("1024")
    int rows();
  }
}
