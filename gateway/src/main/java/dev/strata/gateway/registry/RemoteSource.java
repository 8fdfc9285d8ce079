package dev.strata.gateway.registry;

import dev.strata.artifact.ArtifactSignature;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/// An artifact behind an HTTP or HTTPS URL: a web server, or an object of an S3-compatible store
/// that is public or has a presigned URL. Reads with range requests; a connection that breaks or
/// stalls is taken up again where it stood, as long as the object stays the same.
final class RemoteSource implements ArtifactSource {

  /// @param stall how long no byte may come before a connection counts as broken
  /// @param attempts connections in a row that may bring nothing before the load fails
  /// @param pause before the second of them; doubles from one to the next
  record Patience(Duration stall, int attempts, Duration pause) {}

  private static final Logger LOG = Logger.getLogger(RemoteSource.class);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes ([0-9]+)-[0-9]+/([0-9]+|\\*)");

  private final HttpClient client;
  private final URI location;
  private final Patience patience;
  private Optional<String> identity = Optional.empty();
  private Optional<Connection> connection = Optional.empty();

  /// @param client borrowed
  RemoteSource(HttpClient client, URI location, Patience patience) {
    this.client = client;
    this.location = location;
    this.patience = patience;
  }

  /// A body that is being read.
  private static final class Connection implements AutoCloseable {
    private final InputStream body;
    private final Thread watchdog;
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile long lastByteNanos = System.nanoTime();
    private long position;

    Connection(InputStream body, long position, Duration stall) {
      this.body = body;
      this.position = position;
      this.watchdog = Thread.ofVirtual().start(() -> watch(stall));
    }

    /// Closes the body when nothing has come for too long, which ends the read that waits for it.
    private void watch(Duration stall) {
      try {
        while (!done.await(stall.toMillis() / 4 + 1, TimeUnit.MILLISECONDS)) {
          if (System.nanoTime() - lastByteNanos > stall.toNanos()) {
            body.close();
            return;
          }
        }
      } catch (InterruptedException | IOException ended) {
        LOG.debug("watching a connection ended", ended);
      }
    }

    int read(ByteBuffer target) throws IOException {
      lastByteNanos = System.nanoTime();
      int count =
          body.read(target.array(), target.arrayOffset() + target.position(), target.remaining());
      if (count > 0) {
        target.position(target.position() + count);
        position += count;
      }
      return count;
    }

    @Override
    public void close() throws IOException {
      done.countDown();
      body.close();
      watchdog.interrupt();
    }
  }

  /// The server's answer settles the matter; asking again would not change it.
  private static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  @Override
  public int read(ByteBuffer target, long position) throws IOException {
    Duration pause = patience.pause();
    for (int attempt = 1; ; attempt++) {
      try {
        if (connection.isEmpty() || connection.get().position != position) {
          disconnect();
          if (!connect(position)) {
            return -1;
          }
        }
        int count = connection.get().read(target);
        if (count > 0) {
          return count;
        }
        // Servers may end a body early; only the answer to a range behind the end is sure.
        disconnect();
        if (!connect(position)) {
          return -1;
        }
        throw new IOException("the connection ended at byte %d".formatted(position));
      } catch (RefusedException refused) {
        disconnect();
        throw refused;
      } catch (IOException broken) {
        disconnect();
        if (attempt == patience.attempts()) {
          throw new IOException(
              "%s: %s, after %d attempts".formatted(name(), text(broken), attempt), broken);
        }
        LOG.infof("%s: %s; trying again from byte %d", name(), text(broken), position);
        sleep(pause);
        pause =
            pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
                ? pause.multipliedBy(2)
                : LONGEST_PAUSE;
      }
    }
  }

  private static String text(IOException failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  private static void sleep(Duration pause) throws IOException {
    try {
      Thread.sleep(pause);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("loading was interrupted");
    }
  }

  /// @return false if the object ends before or at this position
  private boolean connect(long position) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(location)
            .timeout(patience.stall())
            .header("Range", "bytes=%d-".formatted(position));
    identity.ifPresent(tag -> request.header("If-Match", tag));
    HttpResponse<InputStream> response = send(request.build());
    switch (response.statusCode()) {
      case 206 -> {
        String stated = response.headers().firstValue("Content-Range").orElse("");
        Matcher range = CONTENT_RANGE.matcher(stated);
        if (!range.matches() || Long.parseLong(range.group(1)) != position) {
          response.body().close();
          throw new RefusedException(
              "%s: Content-Range: got '%s', expected one from byte %d"
                  .formatted(name(), stated, position));
        }
      }
      // A server that does not know ranges sends everything from the beginning.
      case 200 -> response.body().skipNBytes(position);
      case 416 -> {
        response.body().close();
        return false;
      }
      case 412 -> {
        response.body().close();
        throw new RefusedException(
            "%s: the object was changed while it was read".formatted(name()));
      }
      default -> {
        response.body().close();
        String problem = "%s: got HTTP status %d".formatted(name(), response.statusCode());
        throw response.statusCode() >= 500 || response.statusCode() == 429
            ? new IOException(problem)
            : new RefusedException(problem);
      }
    }
    // Weak tags do not promise the same bytes.
    identity =
        identity.or(
            () -> response.headers().firstValue("ETag").filter(tag -> !tag.startsWith("W/")));
    connection = Optional.of(new Connection(response.body(), position, patience.stall()));
    return true;
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
    try {
      return client.send(request, BodyHandlers.ofInputStream());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("loading was interrupted");
    }
  }

  private void disconnect() throws IOException {
    if (connection.isPresent()) {
      connection.get().close();
      connection = Optional.empty();
    }
  }

  @Override
  public Optional<byte[]> signature() throws IOException {
    URI signature =
        URI.create(
            location.getScheme()
                + "://"
                + location.getRawAuthority()
                + location.getRawPath()
                + ArtifactSignature.SUFFIX
                + (location.getRawQuery() == null ? "" : "?" + location.getRawQuery()));
    HttpResponse<InputStream> response =
        send(HttpRequest.newBuilder(signature).timeout(patience.stall()).build());
    try (InputStream body = response.body()) {
      return response.statusCode() == 200
          ? Optional.of(body.readNBytes(ArtifactSignature.BYTES + 1))
          : Optional.empty();
    }
  }

  /// Without the query, which may hold a secret.
  @Override
  public String name() {
    return location.getScheme() + "://" + location.getHost() + location.getRawPath();
  }

  @Override
  public boolean worthAnotherTry() {
    return true;
  }

  @Override
  public void close() throws IOException {
    disconnect();
  }
}
