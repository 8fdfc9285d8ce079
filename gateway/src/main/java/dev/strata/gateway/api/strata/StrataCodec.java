package dev.strata.gateway.api.strata;

import com.google.protobuf.UnsafeByteOperations;
import dev.strata.gateway.api.BitsText;
import dev.strata.gateway.api.RawElements;
import dev.strata.gateway.api.TensorReader;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.InferenceRequest;
import dev.strata.gateway.call.InferenceResult;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.precision.Bits;
import dev.strata.v1.ListModelsResponse;
import dev.strata.v1.ListPrecisionsResponse;
import dev.strata.v1.ModelVersion;
import dev.strata.v1.PredictRequest;
import dev.strata.v1.PredictResponse;
import dev.strata.v1.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Between the messages of strata.v1 and the gateway's own records.
final class StrataCodec {

  private StrataCodec() {}

  static InferenceRequest request(PredictRequest message) {
    return new InferenceRequest(
        message.getModel(),
        version(message.getVersion()),
        message.getId(),
        precision(message),
        inputs(message),
        message.getOutputsList());
  }

  static PredictResponse response(InferenceResult result) {
    PredictResponse.Builder message =
        PredictResponse.newBuilder()
            .setModel(result.model())
            .setVersion(result.version())
            .setId(result.id())
            .setBits(result.bits().count())
            .setQueueUs(result.queueMicros())
            .setComputeUs(result.computeMicros());
    for (InferenceResult.Output output : result.outputs()) {
      message.addOutputs(
          Tensor.newBuilder()
              .setName(output.name())
              .setDatatype(output.tensor().type().name())
              .addAllShape(output.tensor().shape().dims())
              .setData(
                  UnsafeByteOperations.unsafeWrap(
                      output.tensor().data().toArray(ValueLayout.JAVA_BYTE))));
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

  private static List<Integer> counts(List<Bits> widths) {
    return widths.stream().map(Bits::count).toList();
  }

  static Optional<String> version(String version) {
    return version.isEmpty() ? Optional.empty() : Optional.of(version);
  }

  private static Precision precision(PredictRequest message) {
    return switch (message.getPrecisionCase()) {
      case BITS -> BitsText.exactly("bits", message.getBits());
      case PRECISION_NOT_SET -> new Precision.ModelDefault();
      case LATENCY_BUDGET_US ->
          throw notOffered("latency_budget_us: choosing the precision by a latency budget");
      case AUTO -> throw notOffered("auto: choosing the precision by load");
    };
  }

  private static InferenceException notOffered(String what) {
    return new InferenceException(
        ErrorCode.NOT_OFFERED, what + " is not offered yet; name the bits, or nothing");
  }

  private static Map<String, dev.strata.graph.Tensor> inputs(PredictRequest message) {
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
              new RawElements(MemorySegment.ofBuffer(input.getData().asReadOnlyByteBuffer()))));
    }
    return inputs;
  }
}
