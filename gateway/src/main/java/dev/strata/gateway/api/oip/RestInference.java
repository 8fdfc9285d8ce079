package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.ContentCoding;
import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.call.Cancellation;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// One inference over REST: reads its headers and body, and keeps what the answer's form depends
/// on.
final class RestInference {

  static final String JSON_LENGTH = "Inference-Header-Content-Length";

  /// Up to here reading or writing takes about as long as handing it to another thread.
  private static final int SMALL_BYTES = 32 * 1024;

  private final RestDecoding decoding;
  private final String model;
  private final Optional<String> version;
  private final HttpHeaders headers;
  private RestBody body;
  private OipCall call;

  RestInference(
      RestDecoding decoding,
      String model,
      Optional<String> version,
      HttpHeaders headers,
      RestBody body) {
    this.decoding = decoding;
    this.model = model;
    this.version = version;
    this.headers = headers;
    this.body = body;
  }

  InferenceRequest request() {
    body =
        single(HttpHeaders.CONTENT_ENCODING)
            .flatMap(ContentCoding::of)
            .map(coding -> coding.decode(body.bytes(), decoding.limits()))
            .map(RestBody::of)
            .orElse(body);
    int jsonLength = jsonLength();
    if (jsonLength == 0 && body.length() > 0) {
      boolean binary = !headers.getAcceptableMediaTypes().contains(MediaType.APPLICATION_JSON_TYPE);
      call = RawBody.call(decoding.registry().card(model, version), body, binary, wishes());
    } else {
      call =
          new OipJsonReader(decoding.json(), decoding.limits(), body, jsonLength)
              .read(model, version, wishes());
    }
    return OipCodec.request(call, decoding.limits());
  }

  private int jsonLength() {
    Optional<String> stated = single(JSON_LENGTH);
    if (stated.isEmpty()) {
      return body.length();
    }
    String text = stated.get();
    if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) > body.length()) {
      throw InferenceException.invalid(
          "%s: got '%s', expected 0 to %d, the body's length"
              .formatted(JSON_LENGTH, text, body.length()));
    }
    return Integer.parseInt(text);
  }

  private HeaderWishes wishes() {
    return HeaderWishes.of(this::single);
  }

  /// @return the request as the protocol words it, once [#request] has been called
  OipCall call() {
    return call;
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

  /// How the answer is to be compressed.
  Optional<ContentCoding> coding() {
    return Optional.ofNullable(headers.getHeaderString(HttpHeaders.ACCEPT_ENCODING))
        .flatMap(ContentCoding::accepted);
  }

  /// Reads and begins the request: here if it is small, else on a thread of its own.
  <T> CompletableFuture<T> run(Supplier<CompletableFuture<T>> begin) {
    boolean small =
        body.length() <= SMALL_BYTES
            && headers.getRequestHeader(HttpHeaders.CONTENT_ENCODING).isEmpty();
    return small
        ? begin.get()
        : CompletableFuture.completedFuture(begin)
            .thenComposeAsync(Supplier::get, decoding.threads());
  }

  /// Writes the answer: here if it is small, else on a thread of its own.
  <T> CompletableFuture<T> write(InferenceResult result, Supplier<T> write) {
    long bytes =
        result.outputs().stream().mapToLong(output -> output.tensor().data().byteSize()).sum();
    return bytes <= SMALL_BYTES && coding().isEmpty()
        ? CompletableFuture.completedFuture(write.get())
        : CompletableFuture.supplyAsync(write, decoding.threads());
  }

  /// Hears when the connection, or on HTTP/2 the stream, ends before the answer does. By way of the
  /// exchange, since a response has room for one listener only, and the framework takes it.
  static Cancellation cancellation(RoutingContext exchange) {
    Cancellation cancellation = new Cancellation();
    exchange.addEndHandler(
        ended -> {
          if (ended.failed()) {
            cancellation.cancel();
          }
        });
    if (exchange.response().closed()) {
      cancellation.cancel();
    }
    return cancellation;
  }
}
