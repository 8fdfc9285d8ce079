package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.List;
import java.util.Objects;

/// The answer to one [InferenceRequest].
///
/// @param version the version that ran
/// @param bits the precision that made the outputs
/// @param requested the precision that was asked for
/// @param reason why `bits`
/// @param cached whether the outputs were made for an earlier, equal request
/// @param last whether no other answer to the same request follows
/// @param queueMicros time between acceptance and the start of the computation
/// @param computeMicros time of the computation itself, pre- and postprocessing included
public record InferenceResult(
    String model,
    String version,
    String id,
    Bits bits,
    Precision requested,
    BitsReason reason,
    boolean cached,
    boolean last,
    List<Output> outputs,
    long queueMicros,
    long computeMicros) {

  public record Output(String name, Tensor tensor) {}

  public InferenceResult {
    Objects.requireNonNull(model);
    Objects.requireNonNull(version);
    Objects.requireNonNull(id);
    Objects.requireNonNull(bits);
    Objects.requireNonNull(requested);
    Objects.requireNonNull(reason);
    outputs = List.copyOf(outputs);
  }
}
