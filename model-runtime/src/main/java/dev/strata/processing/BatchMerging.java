package dev.strata.processing;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which batches of different calls may be computed together. Batches of equal row shapes always
/// may. Texts of different lengths may if the mask hides the padding from the answer and no layer
/// takes one activation scale for a whole text: then the shorter ones are padded to the longest.
///
/// @param stackable whether the first dimension of every graph input is free
/// @param padded whether texts may be padded to a common length
record BatchMerging(boolean stackable, boolean padded) {

  static BatchMerging of(ModelDescription description) {
    boolean stackable =
        description.graph().inputs().stream()
            .map(TensorSpec::shape)
            .allMatch(shape -> shape.rank() > 0 && shape.dim(0) == Shape.VARIABLE);
    boolean masked =
        description.preprocessing() instanceof Preprocessing.Text text
            && description.graph().inputs().stream()
                .anyMatch(input -> input.name().equals(text.maskInput()))
            && description.postprocessing() instanceof Postprocessing.MeanPool
            && description.profiles().stream()
                .flatMap(profile -> profile.layers().values().stream())
                .noneMatch(layer -> layer.input() instanceof ActivationQuantizer.PerSample);
    return new BatchMerging(stackable, masked);
  }

  /// @param calls the batches of each call
  /// @param pad whether to pad texts where that is possible
  /// @return every batch in exactly one merged batch
  List<MergedBatch> merge(List<List<PreparedBatch>> calls, boolean pad) {
    Map<Object, List<MergedBatch.Part>> alike = new LinkedHashMap<>();
    for (int call = 0; call < calls.size(); call++) {
      for (int batch = 0; batch < calls.get(call).size(); batch++) {
        PreparedBatch prepared = calls.get(call).get(batch);
        Object key =
            !stackable ? List.of(call, batch) : pad && padded ? "text" : rowShapes(prepared);
        alike
            .computeIfAbsent(key, _ -> new ArrayList<>())
            .add(new MergedBatch.Part(call, batch, prepared, rows(prepared)));
      }
    }
    return alike.values().stream()
        .map(parts -> MergedBatch.of(pad && padded ? equalLengths(parts) : parts))
        .toList();
  }

  private static int rows(PreparedBatch prepared) {
    Shape shape = prepared.graphInputs().values().iterator().next().shape();
    return shape.rank() == 0 ? 1 : Math.toIntExact(shape.dim(0));
  }

  /// Type and shape of one row of every input.
  private static Object rowShapes(PreparedBatch prepared) {
    Map<String, List<Object>> shapes = new LinkedHashMap<>();
    prepared
        .graphInputs()
        .forEach(
            (name, tensor) -> {
              List<Long> dims = tensor.shape().dims();
              shapes.put(name, List.of(tensor.type(), dims.subList(1, dims.size())));
            });
    return shapes;
  }

  private static List<MergedBatch.Part> equalLengths(List<MergedBatch.Part> parts) {
    int longest = parts.stream().mapToInt(part -> length(part.prepared())).max().orElseThrow();
    return parts.stream()
        .map(
            part ->
                length(part.prepared()) == longest
                    ? part
                    : new MergedBatch.Part(
                        part.call(), part.batch(), padded(part.prepared(), longest), part.rows()))
        .toList();
  }

  private static int length(PreparedBatch prepared) {
    return Math.toIntExact(prepared.graphInputs().values().iterator().next().shape().dim(1));
  }

  /// Ids, mask and types are all zero in the padding.
  private static PreparedBatch padded(PreparedBatch prepared, int length) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    prepared
        .graphInputs()
        .forEach(
            (name, tensor) -> {
              int rows = Math.toIntExact(tensor.shape().dim(0));
              MemorySegment given = tensor.data();
              long rowBytes = given.byteSize() / rows;
              long paddedBytes = (long) length * Long.BYTES;
              MemorySegment data =
                  MemorySegment.ofArray(new byte[Math.toIntExact(rows * paddedBytes)]);
              for (int row = 0; row < rows; row++) {
                MemorySegment.copy(given, row * rowBytes, data, row * paddedBytes, rowBytes);
              }
              inputs.put(name, new Tensor(DataType.INT64, Shape.of(rows, length), data));
            });
    return new PreparedBatch(inputs, prepared.elements());
  }
}
