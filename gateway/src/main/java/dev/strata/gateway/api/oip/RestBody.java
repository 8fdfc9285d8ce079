package dev.strata.gateway.api.oip;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// The body of a REST request in the pieces it came in: binary tensors stay there until they are
/// copied to where they are computed.
record RestBody(List<MemorySegment> pieces, int length) {

  RestBody {
    pieces = List.copyOf(pieces);
  }

  static RestBody of(byte[] bytes) {
    return new RestBody(List.of(MemorySegment.ofArray(bytes)), bytes.length);
  }

  /// All of it in one piece.
  byte[] bytes() {
    return head(length);
  }

  /// The first bytes in one piece.
  byte[] head(int bytes) {
    byte[] head = new byte[bytes];
    MemorySegment target = MemorySegment.ofArray(head);
    long at = 0;
    for (MemorySegment piece : slice(0, bytes)) {
      MemorySegment.copy(piece, 0, target, at, piece.byteSize());
      at += piece.byteSize();
    }
    return head;
  }

  /// A part of it, not copied.
  List<MemorySegment> slice(int from, int bytes) {
    List<MemorySegment> slice = new ArrayList<>();
    long skipped = from;
    long left = bytes;
    for (MemorySegment piece : pieces) {
      long size = Math.min(left, piece.byteSize() - skipped);
      if (size > 0) {
        slice.add(piece.asSlice(skipped, size));
        left -= size;
      }
      skipped = Math.max(0, skipped - piece.byteSize());
    }
    return slice;
  }

  /// Reads it on the event loop. The framework's own reading hands over to other threads first, and
  /// on HTTP/2 now and then finds a request that has ended meanwhile.
  ///
  /// Must be called on the event loop, before the request has ended unless its body is there.
  static CompletableFuture<RestBody> read(RoutingContext exchange) {
    List<MemorySegment> pieces = new ArrayList<>();
    Buffer counted = exchange.body().buffer();
    HttpServerRequest request = exchange.request();
    if (counted != null) {
      add(pieces, counted);
    }
    if (counted != null || request.isEnded()) {
      return CompletableFuture.completedFuture(whole(pieces));
    }
    request.handler(chunk -> add(pieces, chunk));
    CompletableFuture<RestBody> body =
        request.end().map(_ -> whole(pieces)).toCompletionStage().toCompletableFuture();
    request.resume();
    return body;
  }

  /// The transport has taken a chunk's bytes out of its own memory already, so they may be kept.
  @SuppressWarnings("deprecation") // the framework's next major version has it elsewhere
  private static void add(List<MemorySegment> pieces, Buffer chunk) {
    for (ByteBuffer part : chunk.getByteBuf().nioBuffers()) {
      if (part.hasRemaining()) {
        pieces.add(MemorySegment.ofBuffer(part));
      }
    }
  }

  private static RestBody whole(List<MemorySegment> pieces) {
    return new RestBody(
        pieces, Math.toIntExact(pieces.stream().mapToLong(MemorySegment::byteSize).sum()));
  }
}
