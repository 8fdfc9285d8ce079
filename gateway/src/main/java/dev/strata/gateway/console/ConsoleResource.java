package dev.strata.gateway.console;

import dev.strata.gateway.GatewayConfig;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Request;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.eclipse.microprofile.openapi.annotations.Operation;

/// The console's files. They hold nothing of this server, so whoever reaches it may read them, and
/// they may run nothing and reach nobody but this server.
@Path("/")
@NonBlocking
public final class ConsoleResource {

  private static final String PAGE = "index.html";

  private static final List<String> NAMES =
      List.of(
          PAGE,
          "style.css",
          "icon.svg",
          "app.js",
          "charts.js",
          "counts.js",
          "demos.js",
          "dom.js",
          "live.js",
          "models.js",
          "server.js",
          "tryit.js",
          "uPlot.esm.js",
          "uPlot.min.css",
          "ankle-boot.png",
          "bag.png",
          "pullover.png",
          "text-line.png");

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
          + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final Map<String, ConsoleFile> files;

  ConsoleResource(GatewayConfig config) {
    List<String> names = config.console() ? NAMES : List.of();
    this.files = names.stream().collect(Collectors.toMap(Function.identity(), ConsoleFile::read));
  }

  @GET
  @Operation(hidden = true)
  public Response page(@Context Request request) {
    return file(PAGE, request);
  }

  @GET
  @Path("console/{file}")
  @Operation(hidden = true)
  public Response file(@PathParam("file") String name, @Context Request request) {
    ConsoleFile file = Optional.ofNullable(files.get(name)).orElseThrow(NotFoundException::new);
    Response.ResponseBuilder unchanged = request.evaluatePreconditions(file.tag());
    return (unchanged == null ? Response.ok(file.bytes(), file.type()) : unchanged)
        .tag(file.tag())
        // Kept, but asked for at every visit: a new server may have another.
        .header("Cache-Control", "no-cache")
        .header("Content-Security-Policy", POLICY)
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("Referrer-Policy", "no-referrer")
        .header("X-Content-Type-Options", "nosniff")
        .build();
  }
}
