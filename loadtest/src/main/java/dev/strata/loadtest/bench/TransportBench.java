package dev.strata.loadtest.bench;

import com.google.protobuf.ByteString;
import inference.GRPCInferenceServiceGrpc;
import inference.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import inference.ModelInferRequest;
import inference.ModelInferResponse;
import inference.ModelStreamInferResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// The framework's unified gRPC server (Vert.x, on the HTTP server) against grpc-java's on Netty:
/// the same service, which sends back what it gets, and the same client. Both are in this process
/// and take turns; figures are medians of the rounds.
final class TransportBench {

  private static final int SMALL = 4 << 10;
  private static final int LARGE = 1 << 20;
  private static final int HUGE = 16 << 20;
  private static final int CALLERS = 8;
  private static final int CANCELS = 100;

  /// Rounds that are not counted: both are compiled in them.
  private static final int WARM_UP = 2;

  private TransportBench() {}

  /// @param seconds of each measurement
  static void run(Bench bench, double seconds, int rounds)
      throws IOException, InterruptedException {
    Echo echo = new Echo();
    Map<String, Map<String, double[]>> figures = new LinkedHashMap<>();
    try (TransportServer unified = TransportServer.unified(echo, 2 * HUGE);
        TransportServer separate = TransportServer.separate(echo, 2 * HUGE)) {
      for (int round = -WARM_UP; round < rounds; round++) {
        for (TransportServer server : List.of(unified, separate)) {
          Map<String, Double> measured = measure(server, echo, seconds);
          if (round >= 0) {
            for (Map.Entry<String, Double> figure : measured.entrySet()) {
              figures.computeIfAbsent(figure.getKey(), _ -> new LinkedHashMap<>())
                      .computeIfAbsent(server.name(), _ -> new double[rounds])[round] =
                  figure.getValue();
            }
          }
        }
      }
      bench.line("| | %s | %s |", unified.name(), separate.name());
      bench.line("| --- | --- | --- |");
      figures.forEach(
          (name, found) ->
              bench.line(
                  "| %s | %.0f | %.0f |",
                  name,
                  Bench.median(found.get(unified.name())),
                  Bench.median(found.get(separate.name()))));
    }
  }

  private static Map<String, Double> measure(TransportServer server, Echo echo, double seconds)
      throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .flowControlWindow(TransportServer.WINDOW)
            .maxInboundMessageSize(2 * HUGE)
            .build();
    try {
      Map<String, Double> figures = new LinkedHashMap<>();
      List<Double> alone = calls(channel, SMALL, 1, seconds).nanos();
      figures.put("4 KiB, one caller, p50 us", percentile(alone, 0.5) / 1e3);
      figures.put("4 KiB, one caller, p99 us", percentile(alone, 0.99) / 1e3);
      figures.put(
          "4 KiB, 8 callers, calls a second", calls(channel, SMALL, CALLERS, seconds).aSecond());
      figures.put(
          "1 MiB, 2 callers, MiB a second each way", calls(channel, LARGE, 2, seconds).aSecond());
      figures.put(
          "16 MiB, 2 callers, MiB a second each way",
          16 * calls(channel, HUGE, 2, seconds).aSecond());
      figures.put(
          "4 KiB on a stream, 32 under way, messages a second",
          streamed(channel, seconds) / seconds);
      figures.put(
          "cancellation until the service hears of it, p50 us", cancelled(channel, echo) / 1e3);
      return figures;
    } finally {
      channel.shutdownNow();
      channel.awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  /// @param nanos each call took
  /// @param seconds until the last was answered, which may be long after the last was made
  private record Calls(List<Double> nanos, double seconds) {
    private Calls {
      nanos = List.copyOf(nanos);
    }

    double aSecond() {
      return nanos.size() / seconds;
    }
  }

  private static Calls calls(ManagedChannel channel, int bytes, int callers, double seconds)
      throws InterruptedException {
    ModelInferRequest request = request(bytes);
    GRPCInferenceServiceBlockingStub stub = GRPCInferenceServiceGrpc.newBlockingStub(channel);
    long begin = System.nanoTime();
    long end = begin + (long) (seconds * 1e9);
    List<List<Double>> taken = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      List<Double> own = new ArrayList<>();
      taken.add(own);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (long start = System.nanoTime(); start < end; ) {
                      ModelInferResponse answer = stub.modelInfer(request);
                      long now = System.nanoTime();
                      if (answer.getRawOutputContents(0).size() != bytes) {
                        throw new IllegalStateException("the answer is not the question");
                      }
                      own.add((double) (now - start));
                      start = now;
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    double elapsed = (System.nanoTime() - begin) / 1e9;
    return new Calls(taken.stream().flatMap(List::stream).toList(), elapsed);
  }

  private static double streamed(ManagedChannel channel, double seconds)
      throws InterruptedException {
    Semaphore room = new Semaphore(32);
    AtomicLong answered = new AtomicLong();
    CountDownLatch ended = new CountDownLatch(1);
    StreamObserver<ModelInferRequest> requests =
        GRPCInferenceServiceGrpc.newStub(channel)
            .modelStreamInfer(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ModelStreamInferResponse answer) {
                    answered.incrementAndGet();
                    room.release();
                  }

                  @Override
                  public void onError(Throwable failure) {
                    ended.countDown();
                  }

                  @Override
                  public void onCompleted() {
                    ended.countDown();
                  }
                });
    ModelInferRequest request = request(SMALL);
    long end = System.nanoTime() + (long) (seconds * 1e9);
    while (System.nanoTime() < end && room.tryAcquire(1, TimeUnit.SECONDS)) {
      requests.onNext(request);
    }
    double count = answered.get();
    requests.onCompleted();
    ended.await(10, TimeUnit.SECONDS);
    return count;
  }

  private static double cancelled(ManagedChannel channel, Echo echo) throws InterruptedException {
    List<Double> taken = new ArrayList<>();
    ModelInferRequest request = request(SMALL).toBuilder().setModelName(Echo.NEVER).build();
    for (int i = 0; i < CANCELS; i++) {
      Context.CancellableContext call = Context.current().withCancellation();
      call.run(
          () ->
              GRPCInferenceServiceGrpc.newStub(channel)
                  .modelInfer(
                      request,
                      new StreamObserver<>() {
                        @Override
                        public void onNext(ModelInferResponse answer) {}

                        @Override
                        public void onError(Throwable failure) {}

                        @Override
                        public void onCompleted() {}
                      }));
      echo.arrived.take();
      long start = System.nanoTime();
      call.cancel(null);
      taken.add((double) (echo.cancelled.take() - start));
    }
    return percentile(taken, 0.5);
  }

  private static double percentile(List<Double> values, double share) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(Math.min(sorted.size() - 1, (int) (share * sorted.size())));
  }

  private static ModelInferRequest request(int bytes) {
    return ModelInferRequest.newBuilder()
        .setModelName("echo")
        .addInputs(
            ModelInferRequest.InferInputTensor.newBuilder()
                .setName("x")
                .setDatatype("UINT8")
                .addShape(bytes))
        .addRawInputContents(ByteString.copyFrom(new byte[bytes]))
        .build();
  }

  /// Sends back what it gets, or hears only of the end of a call.
  static final class Echo extends GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase {
    static final String NEVER = "never";

    private final BlockingQueue<Long> arrived = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> cancelled = new LinkedBlockingQueue<>();

    @Override
    public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> client) {
      if (request.getModelName().equals(NEVER)) {
        ((ServerCallStreamObserver<ModelInferResponse>) client)
            .setOnCancelHandler(() -> cancelled.add(System.nanoTime()));
        arrived.add(System.nanoTime());
        return;
      }
      client.onNext(answer(request));
      client.onCompleted();
    }

    @Override
    public StreamObserver<ModelInferRequest> modelStreamInfer(
        StreamObserver<ModelStreamInferResponse> client) {
      return new StreamObserver<>() {
        @Override
        public void onNext(ModelInferRequest request) {
          client.onNext(
              ModelStreamInferResponse.newBuilder().setInferResponse(answer(request)).build());
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
          client.onCompleted();
        }
      };
    }

    private static ModelInferResponse answer(ModelInferRequest request) {
      return ModelInferResponse.newBuilder()
          .setModelName(request.getModelName())
          .addRawOutputContents(request.getRawInputContents(0))
          .build();
    }
  }
}
