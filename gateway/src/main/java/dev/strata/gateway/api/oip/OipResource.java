package dev.strata.gateway.api.oip;

import dev.strata.gateway.ServerReadiness;
import dev.strata.gateway.registry.ModelRegistry;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// The Open Inference Protocol over REST, but for inferences: what the server is and has.
@Path("/v2")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public final class OipResource {

  private final ModelRegistry registry;
  private final ServerReadiness readiness;

  OipResource(ModelRegistry registry, ServerReadiness readiness) {
    this.registry = registry;
    this.readiness = readiness;
  }

  @GET
  @Operation(operationId = "serverMetadata", summary = "Name, version and extensions")
  public OipDocuments.Server server() {
    return new OipDocuments.Server(OipServer.NAME, OipServer.version(), OipServer.EXTENSIONS);
  }

  @GET
  @Path("health/live")
  @Operation(operationId = "serverLive", summary = "Whether the process can answer")
  public OipDocuments.Live live() {
    return new OipDocuments.Live(true);
  }

  @GET
  @Path("health/ready")
  @Operation(
      operationId = "serverReady",
      summary = "200 when the models of the start and the required ones have the widths they must")
  @APIResponse(
      responseCode = "200",
      content = @Content(schema = @Schema(implementation = OipDocuments.Ready.class)))
  public Response ready() {
    return readiness(readiness.ready(), new OipDocuments.Ready(readiness.ready()));
  }

  @GET
  @Path("models")
  @Operation(operationId = "listModels", summary = "Names of the models that are ready")
  public OipDocuments.Models models() {
    return new OipDocuments.Models(
        OipDocuments.index(registry.entries(), true).stream()
            .map(OipDocuments.IndexEntry::name)
            .distinct()
            .toList());
  }

  @GET
  @Path("models/{model}")
  @Operation(
      operationId = "modelMetadata",
      summary = "Inputs, outputs and available precisions of the newest version",
      description =
          "`parameters.precisions` lists each bit width with the bytes it needs and the quality"
              + " measured; `parameters.default_bits` is what a request gets that names no width.")
  public OipDocuments.Model model(@PathParam("model") String model) {
    return metadata(model, Optional.empty());
  }

  @GET
  @Path("models/{model}/versions/{version}")
  @Operation(
      operationId = "modelVersionMetadata",
      summary = "Inputs, outputs and available precisions of one version")
  public OipDocuments.Model modelVersion(
      @PathParam("model") String model, @PathParam("version") String version) {
    return metadata(model, Optional.of(version));
  }

  @GET
  @Path("models/{model}/ready")
  @Operation(
      operationId = "modelReady",
      summary = "200 when the model can be asked, 503 while it cannot, 404 when it is unknown")
  @APIResponse(
      responseCode = "200",
      content = @Content(schema = @Schema(implementation = OipDocuments.ModelReady.class)))
  public Response modelReady(@PathParam("model") String model) {
    return modelReadiness(model, Optional.empty());
  }

  @GET
  @Path("models/{model}/versions/{version}/ready")
  @Operation(
      operationId = "modelVersionReady",
      summary = "200 when the version can be asked, 503 while it cannot, 404 when it is unknown")
  @APIResponse(
      responseCode = "200",
      content = @Content(schema = @Schema(implementation = OipDocuments.ModelReady.class)))
  public Response modelVersionReady(
      @PathParam("model") String model, @PathParam("version") String version) {
    return modelReadiness(model, Optional.of(version));
  }

  private OipDocuments.Model metadata(String model, Optional<String> version) {
    return OipDocuments.model(registry.card(model, version), registry.readyVersions(model));
  }

  private Response modelReadiness(String model, Optional<String> version) {
    // What cannot be asked at all leaves as a 503 that says why.
    registry.card(model, version);
    boolean ready = registry.isReady(model, version);
    return readiness(ready, new OipDocuments.ModelReady(model, ready));
  }

  private static Response readiness(boolean ready, Object document) {
    return Response.status(ready ? 200 : 503).entity(document).build();
  }
}
