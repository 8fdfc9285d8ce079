package dev.strata.gateway.call;

import dev.strata.graph.Tensor;
import java.util.Map;

/// How much a request asks for, as far as that shows without looking at its data.
///
/// @param rows first dimension of its inputs
/// @param lengthClass binary logarithm of the bytes of one row, rounded up: texts in one class
///     differ in length by a factor of two at most
public record Workload(int rows, int lengthClass) {

  public static Workload of(Map<String, Tensor> inputs) {
    long bytes = 0;
    long rows = 1;
    for (Tensor input : inputs.values()) {
      bytes += input.byteSize();
      rows = Math.max(rows, input.shape().rank() == 0 ? 1 : input.shape().dim(0));
    }
    long rowBytes = Math.max(1, bytes / rows);
    return new Workload(
        (int) Math.min(Integer.MAX_VALUE, rows),
        Long.SIZE - Long.numberOfLeadingZeros(rowBytes - 1));
  }
}
