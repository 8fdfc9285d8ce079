package dev.strata.gateway.api.oip;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.smallrye.mutiny.Multi;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.ext.Provider;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.annotation.Annotation;
import java.lang.reflect.Type;
import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveResourceInfo;
import org.jboss.resteasy.reactive.server.spi.ServerHttpResponse;
import org.jboss.resteasy.reactive.server.spi.ServerMessageBodyWriter;
import org.jboss.resteasy.reactive.server.spi.ServerRequestContext;

/// The body of a response of server-sent events. The framework's own way writes the status before
/// the first event is known.
///
/// @param events each one line
record RestEvents(Multi<String> events) {

  /// Writes events as they come.
  @Provider
  public static final class Writer implements ServerMessageBodyWriter<RestEvents> {

    @Override
    public boolean isWriteable(
        Class<?> type, Type genericType, ResteasyReactiveResourceInfo target, MediaType mediaType) {
      return type == RestEvents.class;
    }

    @Override
    public boolean isWriteable(
        Class<?> type, Type genericType, Annotation[] annotations, MediaType mediaType) {
      return type == RestEvents.class;
    }

    @Override
    public void writeResponse(RestEvents body, Type genericType, ServerRequestContext context) {
      ServerHttpResponse response = context.serverResponse().setChunked(true);
      // A caller who has gone cancels the computation by its own way, and nothing is written then.
      var _ =
          body.events()
              .subscribe()
              .with(
                  event -> {
                    var _ = response.write(bytes(event));
                  },
                  () -> response.end());
    }

    @Override
    public void writeTo(
        RestEvents body,
        Class<?> type,
        Type genericType,
        Annotation[] annotations,
        MediaType mediaType,
        MultivaluedMap<String, Object> headers,
        OutputStream out)
        throws IOException {
      for (String event : body.events().subscribe().asIterable()) {
        out.write(bytes(event));
      }
    }

    private static byte[] bytes(String event) {
      return "data:%s\n\n".formatted(event).getBytes(UTF_8);
    }
  }
}
