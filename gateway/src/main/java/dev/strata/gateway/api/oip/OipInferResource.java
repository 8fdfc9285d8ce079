package dev.strata.gateway.api.oip;

import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.api.ContentCoding;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.metrics.RequestMetrics;
import io.smallrye.common.annotation.NonBlocking;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// Inferences of the Open Inference Protocol over REST. Small requests are read and small answers
/// written where they come by, on the event loop and on the worker; large ones on a thread of their
/// own, so that neither waits for them.
@Path("/v2")
@NonBlocking
@Tag(name = "Open Inference Protocol")
public final class OipInferResource {

  private static final String BITS = "Strata-Bits";
  private static final String JSON_LENGTH = RestInference.JSON_LENGTH;

  private final InferencePipeline pipeline;
  private final RestDecoding decoding;
  private final RequestMetrics metrics;

  OipInferResource(InferencePipeline pipeline, RestDecoding decoding, RequestMetrics metrics) {
    this.pipeline = pipeline;
    this.decoding = decoding;
    this.metrics = metrics;
  }

  @POST
  @Path("models/{model}/infer")
  @Consumes(MediaType.WILDCARD)
  @Produces({MediaType.APPLICATION_JSON, MediaType.APPLICATION_OCTET_STREAM})
  @Operation(
      operationId = "modelInfer",
      summary = "One inference with the newest version",
      description =
          "The precision is what `parameters` say (`bits`, `min_bits`, `max_bits`,"
              + " `latency_budget_us`, `precision`), or the headers of the same names, or the"
              + " model's default."
              + " Tensors may follow the JSON in binary: then the header"
              + " `Inference-Header-Content-Length` is the length of the JSON. A length of 0 means"
              + " that the whole body is the model's only input, such as an image file.")
  @Parameter(
      name = BITS,
      in = ParameterIn.HEADER,
      description = "Bit width, unless the body has `parameters.bits`",
      schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "8"))
  @Parameter(
      name = JSON_LENGTH,
      in = ParameterIn.HEADER,
      description = "Length of the JSON part in bytes, when binary tensors follow",
      schema = @Schema(type = SchemaType.INTEGER, minimum = "0"))
  @RequestBody(
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceRequest")))
  @APIResponse(
      responseCode = "200",
      description = "The outputs, the precision that made them, and what it cost",
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceResponse")))
  @APIResponse(
      responseCode = "400",
      description = "What is wrong: field, got, expected",
      content = @Content(schema = @Schema(implementation = OipDocuments.Failure.class)))
  @APIResponse(
      responseCode = "404",
      description = "No such model",
      content = @Content(schema = @Schema(implementation = OipDocuments.Failure.class)))
  @APIResponse(
      responseCode = "429",
      description = "Too much work is waiting; `Retry-After` says when to try again",
      content = @Content(schema = @Schema(implementation = OipDocuments.Failure.class)))
  @APIResponse(
      responseCode = "503",
      description = "Still loading, or waited longer than `parameters.timeout`",
      content = @Content(schema = @Schema(implementation = OipDocuments.Failure.class)))
  public CompletionStage<Response> infer(
      @PathParam("model") String model,
      @Context HttpHeaders headers,
      @Context RoutingContext exchange) {
    return answer(model, Optional.empty(), headers, exchange);
  }

  @POST
  @Path("models/{model}/versions/{version}/infer")
  @Consumes(MediaType.WILDCARD)
  @Produces({MediaType.APPLICATION_JSON, MediaType.APPLICATION_OCTET_STREAM})
  @Operation(operationId = "modelVersionInfer", summary = "One inference with one version")
  @RequestBody(
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceRequest")))
  @APIResponse(
      responseCode = "200",
      description = "The outputs, the precision that made them, and what it cost",
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceResponse")))
  public CompletionStage<Response> inferVersion(
      @PathParam("model") String model,
      @PathParam("version") String version,
      @Context HttpHeaders headers,
      @Context RoutingContext exchange) {
    return answer(model, Optional.of(version), headers, exchange);
  }

  private CompletionStage<Response> answer(
      String model, Optional<String> version, HttpHeaders headers, RoutingContext exchange) {
    Cancellation cancellation = RestInference.cancellation(exchange);
    RequestMetrics.Exchange measured = metrics.exchange(Protocol.REST);
    return RestBody.read(exchange)
        .thenCompose(
            body -> {
              RestInference asked = decoding.of(model, version, headers, body);
              return asked
                  .run(() -> pipeline.infer(measured, asked::request, cancellation))
                  .thenCompose(
                      result -> asked.write(result, () -> response(asked, measured, result)));
            });
  }

  private static Response response(
      RestInference asked, RequestMetrics.Exchange measured, InferenceResult result) {
    OipJsonWriter.Body answer =
        measured.encode(result, made -> OipJsonWriter.write(made, asked.call()));
    Optional<ContentCoding> coding = asked.coding();
    Response.ResponseBuilder response =
        Response.ok(coding.map(known -> known.encode(answer.bytes())).orElse(answer.bytes()))
            .header(BITS, result.bits().count());
    coding.ifPresent(known -> response.header(HttpHeaders.CONTENT_ENCODING, known.label()));
    if (answer.jsonLength().isPresent()) {
      return response
          .type(MediaType.APPLICATION_OCTET_STREAM_TYPE)
          .header(JSON_LENGTH, answer.jsonLength().getAsInt())
          .build();
    }
    return response.type(MediaType.APPLICATION_JSON_TYPE).build();
  }
}
