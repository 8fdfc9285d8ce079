package dev.strata.bench;

import java.util.List;
import java.util.Map;

/// What `bench kernels` says of one case.
///
/// @param peerMicros medians by peer
/// @param roofline the time that the processor's limits allow, of ours
public record KernelRow(
    String shape,
    String path,
    String weights,
    double micros,
    double gigaMultiplyAdds,
    double gigabytes,
    double multiplyAddsPerByte,
    double roofline,
    Map<String, Double> peerMicros,
    List<Verdict> floors) {

  /// @param reached a ratio of speeds, or a part of a limit
  public record Verdict(String against, double least, double reached) {
    boolean met() {
      return reached >= least;
    }

    @Override
    public String toString() {
      return "%s %.2f/%.2f %s".formatted(met() ? "met" : "MISSED", reached, least, against);
    }
  }
}
