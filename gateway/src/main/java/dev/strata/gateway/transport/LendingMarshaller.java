package dev.strata.gateway.transport;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Detachable;
import io.grpc.HasByteBuffer;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads requests as the generated classes do, but leaves the byte fields of large ones where the
/// network put them.
///
/// @param <M> the message
final class LendingMarshaller<M extends MessageLite> implements Marshaller<Lent<M>> {

  /// A small message that waits would hold a whole read buffer of the network, 64 KiB, for its
  /// sake; copying it takes a microsecond.
  private static final int LEAST_BYTES = 16 << 10;

  private final PrototypeMarshaller<M> generated;

  /// @param generated of the generated service
  LendingMarshaller(PrototypeMarshaller<M> generated) {
    this.generated = generated;
  }

  @Override
  public InputStream stream(Lent<M> lent) {
    return generated.stream(lent.message());
  }

  /// @throws io.grpc.StatusRuntimeException INTERNAL if it is no message of this kind, as the
  ///     generated marshaller has it
  @Override
  public Lent<M> parse(InputStream wire) {
    if (!lendable(wire)) {
      return new Lent<>(generated.parse(wire), Optional.empty());
    }
    InputStream buffers = ((Detachable) wire).detach();
    try {
      return new Lent<>(message(bytes(buffers)), Optional.of(buffers));
    } catch (IOException malformed) {
      Lent.close(buffers);
      throw Status.INTERNAL
          .withDescription("Invalid protobuf byte sequence")
          .withCause(malformed)
          .asRuntimeException();
    } catch (RuntimeException | Error defect) {
      Lent.close(buffers);
      throw defect;
    }
  }

  /// A compressed message comes from a stream that has no buffers.
  private static boolean lendable(InputStream wire) {
    try {
      return wire instanceof Detachable
          && wire instanceof HasByteBuffer buffers
          && buffers.byteBufferSupported()
          && wire.markSupported()
          && wire.available() >= LEAST_BYTES;
    } catch (IOException unknown) {
      return false;
    }
  }

  /// Views of all buffers. The mark keeps those that have been passed.
  private static ByteString bytes(InputStream buffers) throws IOException {
    buffers.mark(buffers.available());
    List<ByteString> pieces = new ArrayList<>();
    while (buffers.available() > 0) {
      ByteBuffer piece = ((HasByteBuffer) buffers).getByteBuffer();
      pieces.add(UnsafeByteOperations.unsafeWrap(piece));
      buffers.skipNBytes(piece.remaining());
    }
    buffers.reset();
    return ByteString.copyFrom(pieces);
  }

  @SuppressWarnings("unchecked") // a message's parser makes messages of its class
  private M message(ByteString bytes) throws IOException {
    CodedInputStream input = bytes.newCodedInput();
    input.enableAliasing(true);
    M message = (M) generated.getMessagePrototype().getParserForType().parseFrom(input);
    input.checkLastTagWas(0);
    return message;
  }
}
