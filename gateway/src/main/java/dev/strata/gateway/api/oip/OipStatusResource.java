package dev.strata.gateway.api.oip;

import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// Configuration and statistics over REST, and a clear no to the extensions that are not offered.
@Path("/v2")
@Produces(MediaType.APPLICATION_JSON)
@NonBlocking
@Tag(name = "Open Inference Protocol")
public final class OipStatusResource {

  private static final String NOT_OFFERED =
      "{extension: logging|trace/setting|models/[^/]+/trace/setting|(?:system|cuda)sharedmemory.*}";

  private final OipModelStatus status;

  OipStatusResource(OipModelStatus status) {
    this.status = status;
  }

  @GET
  @Path("models/{model}/config")
  @Operation(operationId = "modelConfig", summary = "Configuration of the newest version")
  public byte[] config(@PathParam("model") String model) {
    return MessageJson.write(status.config(model, Optional.empty()));
  }

  @GET
  @Path("models/{model}/versions/{version}/config")
  @Operation(operationId = "modelVersionConfig", summary = "Configuration of one version")
  public byte[] versionConfig(
      @PathParam("model") String model, @PathParam("version") String version) {
    return MessageJson.write(status.config(model, Optional.of(version)));
  }

  @GET
  @Path("models/stats")
  @Operation(operationId = "statistics", summary = "Exact counts and times of all models")
  public byte[] statistics() {
    return MessageJson.write(status.statistics("", Optional.empty()));
  }

  @GET
  @Path("models/{model}/stats")
  @Operation(operationId = "modelStatistics", summary = "Exact counts and times of one model")
  public byte[] statistics(@PathParam("model") String model) {
    return MessageJson.write(status.statistics(model, Optional.empty()));
  }

  @GET
  @Path("models/{model}/versions/{version}/stats")
  @Operation(
      operationId = "modelVersionStatistics",
      summary = "Exact counts and times of one version")
  public byte[] versionStatistics(
      @PathParam("model") String model, @PathParam("version") String version) {
    return MessageJson.write(status.statistics(model, Optional.of(version)));
  }

  @GET
  @Path(NOT_OFFERED)
  @Operation(hidden = true)
  public Response askedForMore(@PathParam("extension") String extension) {
    return notOffered(extension);
  }

  @POST
  @Path(NOT_OFFERED)
  @Consumes(MediaType.WILDCARD)
  @Operation(hidden = true)
  public Response askedToSetMore(@PathParam("extension") String extension) {
    return notOffered(extension);
  }

  private static Response notOffered(String extension) {
    return Response.status(501)
        .entity(
            new OipDocuments.Failure("/v2/%s: this extension is not offered".formatted(extension)))
        .build();
  }
}
