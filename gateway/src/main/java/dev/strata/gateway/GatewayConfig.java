package dev.strata.gateway;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;

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

  Scheduling scheduling();

  Limits limits();

  interface Scheduling {
    /// Threads that compute, 1 to 1024; the number of processors if absent.
    OptionalInt workers();

    /// Most requests that wait, 1 to 1,000,000.
    @WithDefault("256")
    int queueCapacity();
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
