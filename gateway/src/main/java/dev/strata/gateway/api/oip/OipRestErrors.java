package dev.strata.gateway.api.oip;

import dev.strata.gateway.api.Failures;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.time.Duration;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/// Failures as HTTP answers: always a status and `{"error": "…"}`, never a stack trace.
public final class OipRestErrors {

  /// When a client may try again, where nothing better is known.
  private static final Duration RETRY = Duration.ofSeconds(1);

  /// What servers answer to a client that has gone; hardly ever seen.
  private static final int CLIENT_CLOSED_REQUEST = 499;

  @ServerExceptionMapper
  public Response refused(InferenceException refused) {
    int status = status(refused.code());
    Response.ResponseBuilder answer = answer(status, refused.getMessage());
    if (status == 503 || status == 429) {
      // The header knows whole seconds only.
      long millis = refused.retryAfter().orElse(RETRY).toMillis();
      answer.header("Retry-After", Math.ceilDiv(Math.max(1, millis), 1000L));
    }
    return answer.build();
  }

  @ServerExceptionMapper
  public Response http(WebApplicationException problem, UriInfo uri) {
    int status = problem.getResponse().getStatus();
    String path = uri.getPath();
    String text =
        switch (status) {
          case 404 -> "path: got '%s', which is not served".formatted(path);
          case 405 -> "method: not allowed for '%s'".formatted(path);
          case 406 -> "Accept: nothing that '%s' can answer with".formatted(path);
          case 413 -> "body: larger than strata.limits.message-bytes allows";
          case 415 -> "Content-Type: not accepted by '%s'".formatted(path);
          default -> problem.getResponse().getStatusInfo().getReasonPhrase();
        };
    return answer(status, text).build();
  }

  @ServerExceptionMapper
  public Response defect(Throwable defect) {
    return switch (Failures.cause(defect)) {
      case InferenceException refused -> refused(refused);
      case Throwable cause -> answer(500, Failures.defect(cause)).build();
    };
  }

  private static Response.ResponseBuilder answer(int status, String text) {
    return Response.status(status)
        .type(MediaType.APPLICATION_JSON_TYPE)
        .entity(new OipDocuments.Failure(text));
  }

  private static int status(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST, PRECISION_UNAVAILABLE -> 400;
      case MODEL_NOT_FOUND -> 404;
      case MODEL_NOT_READY, QUEUE_TIMEOUT, SHUTTING_DOWN -> 503;
      case OVERLOADED -> 429;
      case DEADLINE_EXCEEDED -> 504;
      case CANCELLED -> CLIENT_CLOSED_REQUEST;
      case TOO_LARGE -> 413;
      case NOT_OFFERED -> 501;
    };
  }
}
