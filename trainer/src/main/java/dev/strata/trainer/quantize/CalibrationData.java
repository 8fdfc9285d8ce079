package dev.strata.trainer.quantize;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Typical inputs of a network, by the names of its graph inputs. Each batch runs once; padding in
// a
/// batch would count as data, so texts of different lengths come one by one.
///
/// @param batches graph inputs of one run each; empty means quantize from weights alone
public record CalibrationData(List<Map<String, Tensor>> batches) {
  public CalibrationData {
    batches = List.copyOf(batches);
  }

  public static CalibrationData none() {
    return new CalibrationData(List.of());
  }

  public boolean isEmpty() {
    return batches.isEmpty();
  }

  /// Cuts arrays along their first axis, which counts samples.
  ///
  /// @throws IllegalArgumentException if the arrays have different numbers of samples
  public static CalibrationData of(Map<String, Tensor> arrays, int samplesPerBatch) {
    long samples = -1;
    for (Map.Entry<String, Tensor> array : arrays.entrySet()) {
      Shape shape = array.getValue().shape();
      long found = shape.rank() == 0 ? 0 : shape.dim(0);
      if (samples >= 0 && found != samples) {
        throw new IllegalArgumentException(
            "calibration array '%s': got %d samples, expected %d as in the others"
                .formatted(array.getKey(), found, samples));
      }
      samples = found;
    }
    List<Map<String, Tensor>> batches = new ArrayList<>();
    for (long first = 0; first < samples; first += samplesPerBatch) {
      long count = Math.min(samplesPerBatch, samples - first);
      Map<String, Tensor> batch = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> array : arrays.entrySet()) {
        batch.put(array.getKey(), samples(array.getValue(), first, count));
      }
      batches.add(batch);
    }
    return new CalibrationData(batches);
  }

  private static Tensor samples(Tensor tensor, long first, long count) {
    long[] dims = tensor.shape().toArray();
    long sampleBytes = tensor.data().byteSize() / dims[0];
    dims[0] = count;
    MemorySegment data = tensor.data().asSlice(first * sampleBytes, count * sampleBytes);
    return new Tensor(tensor.type(), Shape.of(dims), data);
  }
}
