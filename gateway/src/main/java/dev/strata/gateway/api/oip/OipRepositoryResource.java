package dev.strata.gateway.api.oip;

import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelRepository;
import io.smallrye.common.annotation.NonBlocking;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// The repository extension of the Open Inference Protocol over REST.
@Path("/v2/repository")
@Consumes(MediaType.WILDCARD)
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public final class OipRepositoryResource {

  private final ModelRegistry registry;
  private final ModelRepository repository;
  private final RestDecoding decoding;

  OipRepositoryResource(ModelRegistry registry, ModelRepository repository, RestDecoding decoding) {
    this.registry = registry;
    this.repository = repository;
    this.decoding = decoding;
  }

  @POST
  @Path("index")
  @Operation(
      operationId = "repositoryIndex",
      summary = "Every model version with its state, and the reason when it could not be loaded",
      description = "The body may be `{\"ready\": true}`: only versions that are ready.")
  public CompletionStage<List<OipDocuments.IndexEntry>> index(@Context RoutingContext exchange) {
    return RestBody.read(exchange)
        .thenApply(
            body ->
                OipDocuments.index(
                    registry.entries(),
                    RepositoryCall.index(decoding.trees(), body.bytes()).ready()));
  }

  @POST
  @Path("models/{model}/load")
  @Operation(
      operationId = "repositoryModelLoad",
      summary = "Loads a model, or looks again at one that is loaded; answers when it is ready")
  public CompletionStage<Response> load(
      @PathParam("model") String model, @Context RoutingContext exchange) {
    return RestBody.read(exchange)
        .thenCompose(
            body -> {
              RepositoryCall.load(decoding.trees(), body.bytes());
              return repository.load(model);
            })
        .thenApply(_ -> Response.ok().build());
  }

  @POST
  @Path("models/{model}/unload")
  @Operation(
      operationId = "repositoryModelUnload",
      summary = "Takes a model out of service; requests under way finish")
  public CompletionStage<Response> unload(
      @PathParam("model") String model, @Context RoutingContext exchange) {
    return RestBody.read(exchange)
        .thenCompose(
            body -> {
              RepositoryCall.unload(decoding.trees(), body.bytes());
              return repository.unload(model);
            })
        .thenApply(_ -> Response.ok().build());
  }
}
