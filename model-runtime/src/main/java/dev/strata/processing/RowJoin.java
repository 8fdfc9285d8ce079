package dev.strata.processing;

import dev.strata.graph.DataType;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Puts the rows of one output, computed in several batches, back into the client's order.
final class RowJoin {

  private RowJoin() {}

  /// @param parts one tensor per batch, row i belonging to the batch's i-th element
  static Tensor join(String name, List<PreparedBatch> batches, List<Tensor> parts) {
    if (isAlreadyInOrder(batches)) {
      return parts.getFirst();
    }
    int rows = batches.stream().mapToInt(batch -> batch.elements().size()).sum();
    return parts.getFirst().type() == DataType.BYTES
        ? joinBytes(rows, batches, parts)
        : joinFixed(name, rows, batches, parts);
  }

  private static boolean isAlreadyInOrder(List<PreparedBatch> batches) {
    if (batches.size() > 1) {
      return false;
    }
    List<Integer> elements = batches.getFirst().elements();
    for (int i = 0; i < elements.size(); i++) {
      if (elements.get(i) != i) {
        return false;
      }
    }
    return true;
  }

  private static Tensor joinBytes(int rows, List<PreparedBatch> batches, List<Tensor> parts) {
    List<byte[]> joined = new ArrayList<>(java.util.Collections.nCopies(rows, new byte[0]));
    for (int batch = 0; batch < batches.size(); batch++) {
      List<byte[]> part = parts.get(batch).toByteArrays();
      for (int row = 0; row < part.size(); row++) {
        joined.set(batches.get(batch).elements().get(row), part.get(row));
      }
    }
    return Tensor.ofBytes(joined);
  }

  private static Tensor joinFixed(
      String name, int rows, List<PreparedBatch> batches, List<Tensor> parts) {
    long[] dims = parts.getFirst().shape().toArray();
    long rowBytes = parts.getFirst().data().byteSize() / dims[0];
    dims[0] = rows;
    MemorySegment joined =
        MemorySegment.ofArray(new byte[Math.toIntExact(Math.multiplyExact(rows, rowBytes))]);
    for (int batch = 0; batch < batches.size(); batch++) {
      Tensor part = parts.get(batch);
      long[] partDims = part.shape().toArray();
      partDims[0] = rows;
      if (!Arrays.equals(dims, partDims)) {
        throw new RejectedInputException(
            "output '%s': images of different widths give shapes %s and %s; send them one by one"
                .formatted(name, parts.getFirst().shape(), part.shape()));
      }
      List<Integer> elements = batches.get(batch).elements();
      for (int row = 0; row < elements.size(); row++) {
        MemorySegment.copy(
            part.data(), row * rowBytes, joined, elements.get(row) * rowBytes, rowBytes);
      }
    }
    return new Tensor(parts.getFirst().type(), Shape.of(dims), joined);
  }
}
