package dev.strata.processing;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Batches of several calls, put under one another to be computed at once; nothing is copied.
/// Row by row the graph computes what it would compute for each alone.
///
/// @param graphInputs the rows of all parts, in the order of the parts
/// @param parts where each row came from
public record MergedBatch(Map<String, Tensor> graphInputs, List<Part> parts) {

  /// @param call index of the call
  /// @param batch index of the batch within its call
  /// @param prepared the batch itself; its rows are as many as it brought
  /// @param rows number of them
  public record Part(int call, int batch, PreparedBatch prepared, int rows) {}

  public MergedBatch {
    parts = List.copyOf(parts);
  }

  /// One part is its own batch.
  static MergedBatch of(List<Part> parts) {
    if (parts.size() == 1) {
      return new MergedBatch(parts.getFirst().prepared().graphInputs(), parts);
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (String name : parts.getFirst().prepared().graphInputs().keySet()) {
      inputs.put(name, stack(parts, name));
    }
    return new MergedBatch(inputs, parts);
  }

  /// Gives each part its rows of the graph's outputs.
  ///
  /// @return one map per part
  /// @throws IllegalArgumentException if an output does not have one row per row that went in
  public List<Map<String, Tensor>> split(Map<String, Tensor> outputs) {
    if (parts.size() == 1) {
      return List.of(outputs);
    }
    int rows = parts.stream().mapToInt(Part::rows).sum();
    List<Map<String, Tensor>> split = new ArrayList<>(parts.size());
    parts.forEach(part -> split.add(new LinkedHashMap<>()));
    outputs.forEach(
        (name, output) -> {
          if (!hasRows(output.shape(), rows)) {
            throw new IllegalArgumentException(
                "graph output '%s': got shape %s for %d rows"
                    .formatted(name, output.shape(), rows));
          }
          MemorySegment data = output.data();
          long rowBytes = data.byteSize() / rows;
          long at = 0;
          for (int i = 0; i < parts.size(); i++) {
            long bytes = parts.get(i).rows() * rowBytes;
            long[] dims = output.shape().toArray();
            dims[0] = parts.get(i).rows();
            split
                .get(i)
                .put(name, new Tensor(output.type(), Shape.of(dims), data.asSlice(at, bytes)));
            at += bytes;
          }
        });
    return split;
  }

  /// @return whether every output has one row per row that went in, so that they can be told apart
  public boolean separates(Map<String, Tensor> outputs) {
    int rows = parts.stream().mapToInt(Part::rows).sum();
    return parts.size() == 1
        || outputs.values().stream().allMatch(output -> hasRows(output.shape(), rows));
  }

  private static boolean hasRows(Shape shape, int rows) {
    return shape.rank() > 0 && shape.dim(0) == rows;
  }

  private static Tensor stack(List<Part> parts, String name) {
    Tensor first = parts.getFirst().prepared().graphInputs().get(name);
    List<MemorySegment> pieces = new ArrayList<>(parts.size());
    int rows = 0;
    for (Part part : parts) {
      pieces.addAll(part.prepared().graphInputs().get(name).pieces());
      rows += part.rows();
    }
    long[] dims = first.shape().toArray();
    dims[0] = rows;
    return new Tensor(first.type(), Shape.of(dims), pieces);
  }
}
