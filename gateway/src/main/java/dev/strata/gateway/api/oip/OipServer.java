package dev.strata.gateway.api.oip;

import java.util.List;
import java.util.Optional;

/// What the server says of itself.
final class OipServer {

  static final String NAME = "strata";
  static final String PLATFORM = "strata_layered";

  /// Only what works. The last is our own: the parameter `bits` and its headers.
  static final List<String> EXTENSIONS =
      List.of(
          "binary_tensor_data",
          "classification",
          "model_configuration",
          "model_repository",
          "parameters",
          "statistics",
          "strata_precision");

  private OipServer() {}

  static String version() {
    return Optional.ofNullable(OipServer.class.getPackage().getImplementationVersion())
        .orElse("development");
  }
}
