package dev.strata.gateway.api.oip;

import dev.strata.gateway.InferencePipeline;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.Protocol;
import dev.strata.gateway.registry.ModelRegistry;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// Inferences of the Open Inference Protocol over REST. Each waits on a virtual thread.
@Path("/v2")
@RunOnVirtualThread
@Tag(name = "Open Inference Protocol")
public final class OipInferResource {

  static final String JSON_LENGTH = "Inference-Header-Content-Length";
  private static final String BITS = "Strata-Bits";

  private final InferencePipeline pipeline;
  private final ModelRegistry registry;

  OipInferResource(InferencePipeline pipeline, ModelRegistry registry) {
    this.pipeline = pipeline;
    this.registry = registry;
  }

  @POST
  @Path("models/{model}/infer")
  @Consumes(MediaType.WILDCARD)
  @Produces({MediaType.APPLICATION_JSON, MediaType.APPLICATION_OCTET_STREAM})
  @Operation(
      operationId = "modelInfer",
      summary = "One inference with the newest version",
      description =
          "The precision is `parameters.bits`, or the header `Strata-Bits`, or the model's default."
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
      responseCode = "503",
      description = "Still loading, or the queue is full",
      content = @Content(schema = @Schema(implementation = OipDocuments.Failure.class)))
  public Response infer(
      @PathParam("model") String model, @Context HttpHeaders headers, byte[] body) {
    return answer(model, Optional.empty(), headers, body);
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
  public Response inferVersion(
      @PathParam("model") String model,
      @PathParam("version") String version,
      @Context HttpHeaders headers,
      byte[] body) {
    return answer(model, Optional.of(version), headers, body);
  }

  private Response answer(
      String model, Optional<String> version, HttpHeaders headers, byte[] body) {
    Decoding decoding = new Decoding(model, version, headers, body);
    InferenceResult result;
    try {
      result = pipeline.infer(Protocol.REST, decoding::request).join();
    } catch (CompletionException failure) {
      if (failure.getCause() instanceof InferenceException refused) {
        throw refused;
      }
      throw failure;
    }
    OipJsonWriter.Body answer = OipJsonWriter.write(result, decoding.call);
    Response.ResponseBuilder response =
        Response.ok(answer.bytes()).header(BITS, result.bits().count());
    if (answer.jsonLength().isPresent()) {
      return response
          .type(MediaType.APPLICATION_OCTET_STREAM_TYPE)
          .header(JSON_LENGTH, answer.jsonLength().getAsInt())
          .build();
    }
    return response.type(MediaType.APPLICATION_JSON_TYPE).build();
  }

  /// Reads one body, and keeps what the answer's form depends on.
  private final class Decoding {
    private final String model;
    private final Optional<String> version;
    private final HttpHeaders headers;
    private final byte[] body;
    private OipCall call;

    Decoding(String model, Optional<String> version, HttpHeaders headers, byte[] body) {
      this.model = model;
      this.version = version;
      this.headers = headers;
      this.body = body;
    }

    InferenceRequest request() {
      single(HttpHeaders.CONTENT_ENCODING)
          .filter(encoding -> !encoding.equals("identity"))
          .ifPresent(
              encoding -> {
                throw new InferenceException(
                    ErrorCode.NOT_OFFERED,
                    "Content-Encoding: got '%s', expected identity".formatted(encoding));
              });
      int jsonLength = jsonLength();
      if (jsonLength == 0 && body.length > 0) {
        boolean binary =
            !headers.getAcceptableMediaTypes().contains(MediaType.APPLICATION_JSON_TYPE);
        call = RawBody.call(registry.card(model, version), body, binary, single(BITS));
      } else {
        call = new OipJsonReader(body, jsonLength).read(model, version, single(BITS));
      }
      return OipCodec.request(call);
    }

    private int jsonLength() {
      Optional<String> stated = single(JSON_LENGTH);
      if (stated.isEmpty()) {
        return body.length;
      }
      String text = stated.get();
      if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) > body.length) {
        throw InferenceException.invalid(
            "%s: got '%s', expected 0 to %d, the body's length"
                .formatted(JSON_LENGTH, text, body.length));
      }
      return Integer.parseInt(text);
    }

    private Optional<String> single(String header) {
      List<String> values = headers.getRequestHeader(header);
      if (values == null || values.isEmpty()) {
        return Optional.empty();
      }
      if (values.size() > 1) {
        throw InferenceException.invalid(
            "%s: got %d values, expected one".formatted(header, values.size()));
      }
      return Optional.of(values.getFirst().strip());
    }
  }
}
