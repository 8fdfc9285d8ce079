package dev.strata.gateway.api.strata;

import dev.strata.gateway.api.HeaderWishes;
import dev.strata.gateway.api.Limits;
import dev.strata.gateway.api.RawElements;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.api.WishReader;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.OutputWish;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.Priority;
import dev.strata.gateway.call.Urgency;
import dev.strata.gateway.metrics.RequestStatistics;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.precision.Bits;
import dev.strata.v1.BitRange;
import dev.strata.v1.LatencyBudget;
import dev.strata.v1.ListModelsResponse;
import dev.strata.v1.ListPrecisionsResponse;
import dev.strata.v1.ModelVersion;
import dev.strata.v1.PredictLadderRequest;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.PredictResponse;
import dev.strata.v1.StatisticsResponse;
import dev.strata.v1.Tensor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Between the messages of strata.v1 and the gateway's own records.
final class StrataCodec {

  private static final long MOST_MICROS = 86_400_000_000L;

  private StrataCodec() {}

  /// @param metadata what the call's metadata wish; the message wins
  static InferenceRequest request(
      PredictRequest message, HeaderWishes metadata, OptionalLong deadlineNanos, Limits limits) {
    Optional<Precision> header = WishReader.precision(metadata);
    Precision precision =
        precision(message).or(() -> header).orElseGet(Precision.ModelDefault::new);
    return request(message, precision, metadata, deadlineNanos, limits);
  }

  static InferenceRequest request(
      PredictLadderRequest message,
      HeaderWishes metadata,
      OptionalLong deadlineNanos,
      Limits limits) {
    if (message.getRequest().getPrecisionCase() != PredictRequest.PrecisionCase.PRECISION_NOT_SET) {
      throw InferenceException.invalid(
          "bits and request.precision: got both, expected one of them");
    }
    List<Bits> rungs = new ArrayList<>();
    for (int count : message.getBitsList()) {
      Bits bits = bits("bits[%d]".formatted(rungs.size()), count);
      if (!rungs.isEmpty() && rungs.getLast().compareTo(bits) >= 0) {
        throw InferenceException.invalid(
            "bits: got %s, expected ascending widths".formatted(message.getBitsList()));
      }
      rungs.add(bits);
    }
    if (rungs.isEmpty()) {
      throw InferenceException.invalid("bits: got none, expected at least one width");
    }
    return request(
        message.getRequest(), new Precision.Ladder(rungs), metadata, deadlineNanos, limits);
  }

  private static InferenceRequest request(
      PredictRequest message,
      Precision precision,
      HeaderWishes metadata,
      OptionalLong deadlineNanos,
      Limits limits) {
    Limits.atMost("id: bytes", message.getIdBytes().size(), limits.idBytes());
    Limits.atMost("inputs", message.getInputsCount(), limits.tensors());
    Limits.atMost("outputs", message.getOutputsCount(), limits.tensors());
    return new InferenceRequest(
        message.getModel(),
        version(message.getVersion()),
        message.getId(),
        precision,
        urgency(message, WishReader.urgency(List.of(metadata), deadlineNanos)),
        inputs(message, limits),
        message.getOutputsList().stream().map(OutputWish::new).toList());
  }

  static PredictResponse response(InferenceResult result) {
    PredictResponse.Builder message =
        PredictResponse.newBuilder()
            .setModel(result.model())
            .setVersion(result.version())
            .setId(result.id())
            .setBits(result.bits().count())
            .setQueueUs(result.queueMicros())
            .setComputeUs(result.computeMicros())
            .setRequested(result.requested().text())
            .setBitsReason(result.reason().label())
            .setCached(result.cached())
            .setLast(result.last());
    for (InferenceResult.Output output : result.outputs()) {
      message.addOutputs(
          Tensor.newBuilder()
              .setName(output.name())
              .setDatatype(output.tensor().type().name())
              .addAllShape(output.tensor().shape().dims())
              .setData(RawElements.bytes(output.tensor())));
    }
    return message.build();
  }

  static ListPrecisionsResponse precisions(ModelCard card) {
    ListPrecisionsResponse.Builder message =
        ListPrecisionsResponse.newBuilder()
            .setModel(card.name())
            .setVersion(card.version())
            .setDefaultBits(card.defaultBits().count());
    for (ModelCard.Offer offer : card.offers()) {
      message.addPrecisions(
          ListPrecisionsResponse.Precision.newBuilder()
              .setBits(offer.bits().count())
              .setBytes(offer.bytes())
              .putAllQuality(offer.quality()));
    }
    return message
        .addAllArrivingBits(counts(card.arriving()))
        .addAllEvictedBits(counts(card.evicted()))
        .build();
  }

  static ListModelsResponse models(List<ModelRegistry.Entry> entries) {
    ListModelsResponse.Builder message = ListModelsResponse.newBuilder();
    for (ModelRegistry.Entry entry : entries) {
      ModelVersion.Builder version =
          ModelVersion.newBuilder()
              .setModel(entry.name())
              .setVersion(entry.version())
              .addAllLabels(entry.labels());
      switch (entry.state()) {
        case ModelState.Known() -> version.setState(ModelVersion.State.KNOWN);
        case ModelState.Loading(String note) ->
            version.setState(ModelVersion.State.LOADING).setReason(note);
        case ModelState.Ready(ModelCard card, String note) ->
            version
                .setState(ModelVersion.State.READY)
                .setReason(note)
                .addAllBits(counts(card.precisions()))
                .addAllArrivingBits(counts(card.arriving()))
                .addAllEvictedBits(counts(card.evicted()))
                .setDefaultBits(card.defaultBits().count())
                .setPlaneBytes(card.planeBytes());
        case ModelState.Failed(String reason) ->
            version.setState(ModelVersion.State.FAILED).setReason(reason);
        case ModelState.Unloading() -> version.setState(ModelVersion.State.UNLOADING);
        case ModelState.Unloaded() -> version.setState(ModelVersion.State.UNLOADED);
      }
      message.addModels(version);
    }
    return message.build();
  }

  static StatisticsResponse statistics(ModelCard card, RequestStatistics statistics) {
    StatisticsResponse.Builder message =
        StatisticsResponse.newBuilder()
            .setModel(card.name())
            .setVersion(card.version())
            .setFail(total(statistics.failures(card.name(), card.version())));
    for (RequestStatistics.Width width : statistics.widths(card.name(), card.version())) {
      message.addWidths(
          StatisticsResponse.Width.newBuilder()
              .setBits(width.bits().count())
              .setSuccess(total(width.success()))
              .setQueue(total(width.queue()))
              .setDecode(total(width.decode()))
              .setCompute(total(width.compute()))
              .setEncode(total(width.encode()))
              .setRows(width.rows()));
    }
    return message.build();
  }

  private static StatisticsResponse.Total total(RequestStatistics.Total total) {
    return StatisticsResponse.Total.newBuilder()
        .setCount(total.count())
        .setNs(total.nanos())
        .build();
  }

  private static List<Integer> counts(List<Bits> widths) {
    return widths.stream().map(Bits::count).toList();
  }

  static Optional<String> version(String version) {
    return version.isEmpty() ? Optional.empty() : Optional.of(version);
  }

  private static Optional<Precision> precision(PredictRequest message) {
    return switch (message.getPrecisionCase()) {
      case BITS -> Optional.of(new Precision.Exactly(bits("bits", message.getBits())));
      case BETWEEN -> Optional.of(new Precision.Between(range("between", message.getBetween())));
      case WITHIN -> {
        LatencyBudget within = message.getWithin();
        if (within.getMicros() < 1 || within.getMicros() > MOST_MICROS) {
          throw InferenceException.invalid(
              "within.micros: got %d, expected 1 to %d".formatted(within.getMicros(), MOST_MICROS));
        }
        yield Optional.of(
            new Precision.Within(
                Duration.ofNanos(within.getMicros() * 1000),
                range("within.range", within.getRange())));
      }
      case AUTO ->
          Optional.of(new Precision.Auto(range("auto.range", message.getAuto().getRange())));
      case CASCADE -> Optional.of(new Precision.Cascade());
      case PRECISION_NOT_SET -> Optional.empty();
    };
  }

  private static dev.strata.gateway.call.BitRange range(String field, BitRange range) {
    Bits least = range.hasMinBits() ? bits(field + ".min_bits", range.getMinBits()) : new Bits(1);
    Bits most =
        range.hasMaxBits() ? bits(field + ".max_bits", range.getMaxBits()) : new Bits(Bits.MAX);
    if (least.compareTo(most) > 0) {
      throw InferenceException.invalid(
          "%s.min_bits and max_bits: got %s and %s, expected the first to be at most the second"
              .formatted(field, least, most));
    }
    return new dev.strata.gateway.call.BitRange(least, most);
  }

  private static Bits bits(String field, int count) {
    if (count < 1 || count > Bits.MAX) {
      throw InferenceException.invalid(
          "%s: got %d, expected an integer from 1 to %d".formatted(field, count, Bits.MAX));
    }
    return new Bits(count);
  }

  private static Urgency urgency(PredictRequest message, Urgency otherwise) {
    Priority priority =
        switch (message.getPriority()) {
          case PRIORITY_UNSPECIFIED -> otherwise.priority();
          case PRIORITY_HIGH -> Priority.HIGH;
          case PRIORITY_NORMAL -> Priority.NORMAL;
          case PRIORITY_LOW -> Priority.LOW;
          case UNRECOGNIZED ->
              throw InferenceException.invalid(
                  "priority: got %d, expected a known one".formatted(message.getPriorityValue()));
        };
    long timeout = message.getQueueTimeoutUs();
    if (timeout < 0 || timeout > MOST_MICROS) {
      throw InferenceException.invalid(
          "queue_timeout_us: got %d, expected 0 to %d".formatted(timeout, MOST_MICROS));
    }
    return new Urgency(
        priority,
        otherwise.deadlineNanos(),
        timeout == 0 ? otherwise.queueTimeout() : Optional.of(Duration.ofNanos(timeout * 1000)));
  }

  private static Map<String, dev.strata.graph.Tensor> inputs(
      PredictRequest message, Limits limits) {
    Map<String, dev.strata.graph.Tensor> inputs = new LinkedHashMap<>();
    for (int i = 0; i < message.getInputsCount(); i++) {
      Tensor input = message.getInputs(i);
      String field = "inputs[%d] '%s'".formatted(i, TensorReader.excerpt(input.getName()));
      if (inputs.containsKey(input.getName())) {
        throw InferenceException.invalid(field + ": got the name twice, expected it once");
      }
      inputs.put(
          input.getName(),
          TensorReader.read(
              field,
              input.getDatatype(),
              input.getShapeList(),
              RawElements.of(input.getData()),
              limits));
    }
    return inputs;
  }
}
