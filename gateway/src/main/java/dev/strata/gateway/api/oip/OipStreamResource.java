package dev.strata.gateway.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.api.Failures;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.metrics.RequestMetrics;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.operators.multi.processors.UnicastProcessor;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// Inferences over REST that are answered bit by bit: server-sent events, each with one response as
/// JSON. What is refused before the first answer gets a status; after it, an event says why. Read
/// and begun as [OipInferResource] does it.
@Path("/v2")
@NonBlocking
@Tag(name = "Open Inference Protocol")
public final class OipStreamResource {

  private final InferencePipeline pipeline;
  private final RestDecoding decoding;
  private final RequestMetrics metrics;

  OipStreamResource(InferencePipeline pipeline, RestDecoding decoding, RequestMetrics metrics) {
    this.metrics = metrics;
    this.pipeline = pipeline;
    this.decoding = decoding;
  }

  @POST
  @Path("models/{model}/infer_stream")
  @Consumes(MediaType.WILDCARD)
  @Produces(MediaType.SERVER_SENT_EVENTS)
  @Operation(
      operationId = "modelInferStream",
      summary = "One inference with an answer for each width of `parameters.ladder`")
  @RequestBody(
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceRequest")))
  public CompletionStage<Response> infer(
      @PathParam("model") String model,
      @Context HttpHeaders headers,
      @Context RoutingContext exchange) {
    return answers(model, Optional.empty(), headers, exchange);
  }

  @POST
  @Path("models/{model}/versions/{version}/infer_stream")
  @Consumes(MediaType.WILDCARD)
  @Produces(MediaType.SERVER_SENT_EVENTS)
  @Operation(
      operationId = "modelVersionInferStream",
      summary = "The same with one version of the model")
  @RequestBody(
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(ref = "InferenceRequest")))
  public CompletionStage<Response> inferVersion(
      @PathParam("model") String model,
      @PathParam("version") String version,
      @Context HttpHeaders headers,
      @Context RoutingContext exchange) {
    return answers(model, Optional.of(version), headers, exchange);
  }

  private CompletionStage<Response> answers(
      String model, Optional<String> version, HttpHeaders headers, RoutingContext exchange) {
    Cancellation cancellation = RestInference.cancellation(exchange);
    RequestMetrics.Exchange measured = metrics.exchange(Protocol.REST);
    return RestBody.read(exchange)
        .thenCompose(
            body -> {
              RestInference asked = decoding.of(model, version, headers, body);
              return asked.run(() -> begin(asked, measured, cancellation));
            });
  }

  /// Responds with the first answer, since a response that has begun has no other status.
  private CompletableFuture<Response> begin(
      RestInference asked, RequestMetrics.Exchange measured, Cancellation cancellation) {
    UnicastProcessor<String> events = UnicastProcessor.create();
    CompletableFuture<Void> first = new CompletableFuture<>();
    var _ =
        pipeline.stream(
                measured,
                asked::request,
                cancellation,
                result -> {
                  events.onNext(measured.encode(result, OipStreamResource::event));
                  first.complete(null);
                })
            .thenApply(result -> measured.encode(result, OipStreamResource::event))
            .whenComplete(
                (last, failure) -> {
                  if (failure != null && first.completeExceptionally(Failures.cause(failure))) {
                    return;
                  }
                  events.onNext(failure == null ? last : error(Failures.cause(failure)));
                  events.onComplete();
                  first.complete(null);
                });
    return first.thenApply(
        _ -> Response.ok(new RestEvents(events), MediaType.SERVER_SENT_EVENTS_TYPE).build());
  }

  private static String event(InferenceResult result) {
    return new String(OipJsonWriter.writeEvent(result), UTF_8);
  }

  private static String error(Throwable failure) {
    String message =
        failure instanceof InferenceException refused
            ? refused.getMessage()
            : Failures.defect(failure);
    return "{\"error\":\"%s\"}"
        .formatted(new String(JsonStringEncoder.getInstance().quoteAsString(message)));
  }
}
