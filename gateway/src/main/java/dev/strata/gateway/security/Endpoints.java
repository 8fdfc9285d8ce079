package dev.strata.gateway.security;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The permission of every endpoint of both protocols. What is not here needs
/// [Permission#ADMIN], so an endpoint that somebody adds and forgets here is closed and not
/// open.
public final class Endpoints {

  /// @param management whether the route belongs to operation rather than to use
  public record Route(Permission permission, boolean management) {}

  private record Rule(String method, Pattern path, Route route) {}

  private static final String MODEL = "/v2/models/[^/]+(?:/versions/[^/]+)?";

  private static final List<Rule> ROUTES =
      List.of(
          use("GET", "/(?:console/[^/]+)?", Permission.ANYONE),
          use("GET", "/strata/v1/snapshot", Permission.OBSERVE),
          use("GET", "/v2/health/(?:live|ready)", Permission.ANYONE),
          use("GET", "/v2(?:/models)?", Permission.DESCRIBE),
          use("GET", "/v2/models/stats", Permission.OBSERVE),
          use("GET", MODEL + "(?:/ready|/config)?", Permission.DESCRIBE),
          use("GET", MODEL + "/stats", Permission.OBSERVE),
          use("POST", MODEL + "/infer(?:_stream)?", Permission.INFER),
          use("POST", "/v2/repository/index", Permission.OBSERVE),
          operate("POST", "/v2/repository/models/[^/]+/(?:load|unload)", Permission.ADMIN),
          operate("GET", "/q/health(?:/.*)?", Permission.ANYONE),
          operate("GET", "/metrics", Permission.OBSERVE),
          operate("GET", "/q/(?:openapi|swagger-ui)(?:[/.].*)?", Permission.OBSERVE));

  private static final Route CLOSED = new Route(Permission.ADMIN, false);

  private static final Map<String, Permission> PROCEDURES =
      Map.ofEntries(
          Map.entry("inference.GRPCInferenceService/ServerLive", Permission.ANYONE),
          Map.entry("inference.GRPCInferenceService/ServerReady", Permission.ANYONE),
          Map.entry("inference.GRPCInferenceService/ServerMetadata", Permission.DESCRIBE),
          Map.entry("inference.GRPCInferenceService/ModelReady", Permission.DESCRIBE),
          Map.entry("inference.GRPCInferenceService/ModelMetadata", Permission.DESCRIBE),
          Map.entry("inference.GRPCInferenceService/ModelConfig", Permission.DESCRIBE),
          Map.entry("inference.GRPCInferenceService/ModelInfer", Permission.INFER),
          Map.entry("inference.GRPCInferenceService/ModelStreamInfer", Permission.INFER),
          Map.entry("inference.GRPCInferenceService/ModelStatistics", Permission.OBSERVE),
          Map.entry("inference.GRPCInferenceService/RepositoryIndex", Permission.OBSERVE),
          Map.entry("inference.GRPCInferenceService/RepositoryModelLoad", Permission.ADMIN),
          Map.entry("inference.GRPCInferenceService/RepositoryModelUnload", Permission.ADMIN),
          Map.entry("strata.v1.Strata/Predict", Permission.INFER),
          Map.entry("strata.v1.Strata/PredictLadder", Permission.INFER),
          Map.entry("strata.v1.Strata/ListModels", Permission.OBSERVE),
          Map.entry("strata.v1.Strata/LoadModel", Permission.ADMIN),
          Map.entry("strata.v1.Strata/UnloadModel", Permission.ADMIN),
          Map.entry("strata.v1.Strata/ListPrecisions", Permission.DESCRIBE),
          Map.entry("strata.v1.Strata/Statistics", Permission.OBSERVE),
          Map.entry("grpc.health.v1.Health/Check", Permission.ANYONE),
          Map.entry("grpc.health.v1.Health/List", Permission.OBSERVE),
          Map.entry("grpc.health.v1.Health/Watch", Permission.ANYONE),
          Map.entry(
              "grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Permission.DESCRIBE),
          Map.entry(
              "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              Permission.DESCRIBE));

  private Endpoints() {}

  /// @param method of HTTP, upper case
  /// @param path normalized, without the query
  public static Route route(String method, String path) {
    String asked = method.equals("HEAD") ? "GET" : method;
    for (Rule rule : ROUTES) {
      if (rule.method.equals(asked) && rule.path.matcher(path).matches()) {
        return rule.route;
      }
    }
    return CLOSED;
  }

  /// @param name full name of a remote procedure, `package.Service/Method`
  public static Permission procedure(String name) {
    return PROCEDURES.getOrDefault(name, Permission.ADMIN);
  }

  private static Rule use(String method, String path, Permission permission) {
    return new Rule(method, Pattern.compile(path), new Route(permission, false));
  }

  private static Rule operate(String method, String path, Permission permission) {
    return new Rule(method, Pattern.compile(path), new Route(permission, true));
  }
}
