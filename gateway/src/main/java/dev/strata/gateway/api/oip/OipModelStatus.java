package dev.strata.gateway.api.oip;

import dev.strata.gateway.GatewayConfig;
import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.metrics.RequestStatistics;
import dev.strata.gateway.metrics.RequestStatistics.Total;
import dev.strata.gateway.metrics.RequestStatistics.Width;
import dev.strata.gateway.registry.ModelLease;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.graph.Shape;
import dev.strata.graph.TensorSpec;
import inference.DataType;
import inference.InferBatchStatistics;
import inference.InferStatistics;
import inference.MemoryUsage;
import inference.ModelConfig;
import inference.ModelDynamicBatching;
import inference.ModelInput;
import inference.ModelInstanceGroup;
import inference.ModelOutput;
import inference.ModelParameter;
import inference.ModelResponseCache;
import inference.ModelStatistics;
import inference.ModelStatisticsResponse;
import inference.ModelTransactionPolicy;
import inference.StatisticDuration;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Configuration and statistics of models in the protocol's words. Statistics there know no widths,
/// so they are summed; `strata.v1` tells the widths apart.
@Singleton
final class OipModelStatus {

  private static final String BACKEND = "strata";

  private final ModelRegistry registry;
  private final RequestStatistics statistics;
  private final int rows;
  private final int workers;

  OipModelStatus(GatewayConfig config, ModelRegistry registry, RequestStatistics statistics) {
    this.registry = registry;
    this.statistics = statistics;
    this.rows = config.limits().rows();
    this.workers = config.scheduling().workers().orElse(Runtime.getRuntime().availableProcessors());
  }

  /// @throws InferenceException if there is no such model, or it is not ready
  ModelConfig config(String name, Optional<String> version) {
    ModelCard card;
    ModelPolicy policy;
    try (ModelLease lease = registry.lease(name, version)) {
      card = lease.model().card();
      policy = lease.model().policy();
    }
    boolean batch = batched(card.signature().inputs()) && batched(card.signature().outputs());
    ModelConfig.Builder config =
        ModelConfig.newBuilder()
            .setName(card.name())
            .setPlatform(OipServer.PLATFORM)
            .setBackend(BACKEND)
            .setMaxBatchSize(batch ? rows : 0)
            .addInstanceGroup(
                ModelInstanceGroup.newBuilder()
                    .setName(card.name())
                    .setCount(workers)
                    .setKind(ModelInstanceGroup.Kind.KIND_CPU))
            .setModelTransactionPolicy(ModelTransactionPolicy.getDefaultInstance())
            .setResponseCache(ModelResponseCache.newBuilder().setEnable(policy.cacheBytes() > 0))
            .putParameters("default_bits", text(card.defaultBits().toString()))
            .putParameters(
                "bits",
                text(
                    card.precisions().stream()
                        .map(Object::toString)
                        .collect(Collectors.joining(","))));
    BatchingSettings batching = policy.batching();
    if (batching.maxRows() > 1) {
      config.setDynamicBatching(
          ModelDynamicBatching.newBuilder()
              .addAllPreferredBatchSize(batching.preferredRows())
              .setMaxQueueDelayMicroseconds(batching.maxDelay().toNanos() / 1000));
    }
    if (!card.labels().isEmpty()) {
      config.putParameters("labels", text(String.join(",", card.labels())));
    }
    for (TensorSpec input : card.signature().inputs()) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(input.name())
              .setDataType(type(input.type()))
              .addAllDims(dims(input, batch)));
    }
    for (TensorSpec output : card.signature().outputs()) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(output.name())
              .setDataType(type(output.type()))
              .addAllDims(dims(output, batch)));
    }
    return config.build();
  }

  /// @param name empty for all models
  /// @param version empty for all versions
  /// @throws InferenceException if a name or a version is given that is not known
  ModelStatisticsResponse statistics(String name, Optional<String> version) {
    List<ModelRegistry.Entry> entries =
        registry.entries().stream()
            .filter(entry -> name.isEmpty() || entry.name().equals(name))
            .filter(entry -> version.isEmpty() || entry.version().equals(version.get()))
            .toList();
    if (entries.isEmpty() && !name.isEmpty()) {
      // Says what there is instead.
      ModelCard card = registry.card(name, version);
      throw new InferenceException(
          ErrorCode.MODEL_NOT_FOUND, "model '%s' has just gone".formatted(card.name()));
    }
    ModelStatisticsResponse.Builder response = ModelStatisticsResponse.newBuilder();
    entries.forEach(entry -> response.addModelStats(statistics(entry)));
    return response.build();
  }

  private ModelStatistics statistics(ModelRegistry.Entry entry) {
    List<Width> widths = statistics.widths(entry.name(), entry.version());
    long rowsAnswered = widths.stream().mapToLong(Width::rows).sum();
    ModelStatistics.Builder message =
        ModelStatistics.newBuilder()
            .setName(entry.name())
            .setVersion(entry.version())
            .setLastInference(widths.stream().mapToLong(Width::lastMillis).max().orElse(0))
            .setInferenceCount(rowsAnswered)
            .setExecutionCount(sum(widths, Width::compute).count())
            .setInferenceStats(
                InferStatistics.newBuilder()
                    .setSuccess(duration(sum(widths, Width::success)))
                    .setFail(duration(statistics.failures(entry.name(), entry.version())))
                    .setQueue(duration(sum(widths, Width::queue)))
                    .setComputeInput(duration(sum(widths, Width::decode)))
                    .setComputeInfer(duration(sum(widths, Width::compute)))
                    .setComputeOutput(duration(sum(widths, Width::encode)))
                    .setCacheHit(duration(Total.NONE))
                    .setCacheMiss(duration(Total.NONE)));
    batches(widths).forEach((rowCount, batch) -> message.addBatchStats(batch));
    if (entry.state() instanceof ModelState.Ready(var card, _)) {
      message.addMemoryUsage(
          MemoryUsage.newBuilder().setType("CPU").setByteSize(card.planeBytes()));
    }
    return message.build();
  }

  private static Map<Long, InferBatchStatistics> batches(List<Width> widths) {
    Map<Long, List<RequestStatistics.Batch>> bySize =
        widths.stream()
            .flatMap(width -> width.batches().stream())
            .collect(
                Collectors.groupingBy(
                    RequestStatistics.Batch::rows, TreeMap::new, Collectors.toList()));
    Map<Long, InferBatchStatistics> messages = new TreeMap<>();
    bySize.forEach(
        (size, batches) ->
            messages.put(
                size,
                InferBatchStatistics.newBuilder()
                    .setBatchSize(size)
                    .setComputeInput(duration(sum(batches, RequestStatistics.Batch::decode)))
                    .setComputeInfer(duration(sum(batches, RequestStatistics.Batch::compute)))
                    .setComputeOutput(duration(sum(batches, RequestStatistics.Batch::encode)))
                    .build()));
    return messages;
  }

  private static <T> Total sum(List<T> items, Function<T, Total> part) {
    return items.stream().map(part).reduce(Total.NONE, Total::plus);
  }

  private static StatisticDuration duration(Total total) {
    return StatisticDuration.newBuilder().setCount(total.count()).setNs(total.nanos()).build();
  }

  private static boolean batched(List<TensorSpec> specs) {
    return specs.stream()
        .allMatch(spec -> spec.shape().rank() > 0 && spec.shape().dim(0) == Shape.VARIABLE);
  }

  private static List<Long> dims(TensorSpec spec, boolean batch) {
    List<Long> dims = spec.shape().dims();
    return batch ? dims.subList(1, dims.size()) : dims;
  }

  private static ModelParameter text(String value) {
    return ModelParameter.newBuilder().setStringValue(value).build();
  }

  private static DataType type(dev.strata.graph.DataType type) {
    return switch (type) {
      case BOOL -> DataType.TYPE_BOOL;
      case INT8 -> DataType.TYPE_INT8;
      case INT16 -> DataType.TYPE_INT16;
      case INT32 -> DataType.TYPE_INT32;
      case INT64 -> DataType.TYPE_INT64;
      case UINT8 -> DataType.TYPE_UINT8;
      case UINT16 -> DataType.TYPE_UINT16;
      case UINT32 -> DataType.TYPE_UINT32;
      case UINT64 -> DataType.TYPE_UINT64;
      case FP16 -> DataType.TYPE_FP16;
      case BF16 -> DataType.TYPE_BF16;
      case FP32 -> DataType.TYPE_FP32;
      case FP64 -> DataType.TYPE_FP64;
      case BYTES -> DataType.TYPE_STRING;
    };
  }
}
