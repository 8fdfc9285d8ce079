package dev.strata.gateway.transport;

import com.google.protobuf.MessageLite;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import java.util.LinkedHashMap;
import java.util.Map;

/// A generated service, some of whose methods get [Lent] requests. A method that reads byte fields
/// after it has returned does so in [Lent#until].
public final class LendingService {

  private final ServerServiceDefinition generated;
  private final Map<String, ServerMethodDefinition<?, ?>> methods = new LinkedHashMap<>();

  public LendingService(ServerServiceDefinition generated) {
    this.generated = generated;
    generated
        .getMethods()
        .forEach(method -> methods.put(method.getMethodDescriptor().getFullMethodName(), method));
  }

  /// One request, one answer.
  public <M extends MessageLite, A> LendingService unary(
      MethodDescriptor<M, A> method, ServerCalls.UnaryMethod<Lent<M>, A> body) {
    return method(method, ServerCalls.asyncUnaryCall(body));
  }

  /// One request, several answers.
  public <M extends MessageLite, A> LendingService answering(
      MethodDescriptor<M, A> method, ServerCalls.ServerStreamingMethod<Lent<M>, A> body) {
    return method(method, ServerCalls.asyncServerStreamingCall(body));
  }

  /// Several requests, several answers.
  public <M extends MessageLite, A> LendingService streaming(
      MethodDescriptor<M, A> method, ServerCalls.BidiStreamingMethod<Lent<M>, A> body) {
    return method(method, ServerCalls.asyncBidiStreamingCall(body));
  }

  private <M extends MessageLite, A> LendingService method(
      MethodDescriptor<M, A> method, ServerCallHandler<Lent<M>, A> handler) {
    var generatedMarshaller = (PrototypeMarshaller<M>) method.getRequestMarshaller();
    methods.put(
        method.getFullMethodName(),
        ServerMethodDefinition.create(
            method.<Lent<M>, A>toBuilder(
                    new LendingMarshaller<>(generatedMarshaller), method.getResponseMarshaller())
                .build(),
            (call, metadata) -> new Holding<>(handler.startCall(call, metadata))));
    return this;
  }

  public ServerServiceDefinition definition() {
    ServiceDescriptor known = generated.getServiceDescriptor();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(known.getName())
            .setSchemaDescriptor(known.getSchemaDescriptor());
    methods.values().forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder service = ServerServiceDefinition.builder(descriptor.build());
    methods.values().forEach(service::addMethod);
    return service.build();
  }

  /// Holds a call's request until the method has had it: the next one comes, or the client is done
  /// or gone.
  private static final class Holding<M extends MessageLite>
      extends SimpleForwardingServerCallListener<Lent<M>> {
    private Lent<M> held;

    Holding(ServerCall.Listener<Lent<M>> next) {
      super(next);
    }

    @Override
    public void onMessage(Lent<M> request) {
      letGo();
      held = request;
      super.onMessage(request);
    }

    @Override
    public void onHalfClose() {
      super.onHalfClose();
      letGo();
    }

    @Override
    public void onCancel() {
      super.onCancel();
      letGo();
    }

    @Override
    public void onComplete() {
      super.onComplete();
      letGo();
    }

    private void letGo() {
      if (held != null) {
        held.release();
        held = null;
      }
    }
  }
}
