package dev.strata.bench;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemv;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/// OpenBLAS with one thread: the bare product, without bias and ReLU.
final class BlasPeer implements Contender {
  private final int count;
  private final int rows;
  private final int columns;
  private final FloatPointer x;
  private final FloatPointer y;
  private final List<FloatPointer> weights = new ArrayList<>();

  /// @param x `[count][columns]`
  /// @param weights `[rows][columns]`, copied for every copy
  BlasPeer(int count, int rows, int columns, MemorySegment x, float[] weights, int copies) {
    this.count = count;
    this.rows = rows;
    this.columns = columns;
    this.x = new FloatPointer(x.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer());
    this.y = new FloatPointer((long) count * rows);
    for (int copy = 0; copy < copies; copy++) {
      this.weights.add(new FloatPointer(weights));
    }
    blas_set_num_threads(1);
  }

  @Override
  public void run(int copy) {
    FloatPointer w = weights.get(copy);
    if (count == 1) {
      cblas_sgemv(CblasRowMajor, CblasNoTrans, rows, columns, 1, w, columns, x, 1, 0, y, 1);
    } else {
      cblas_sgemm(
          CblasRowMajor,
          CblasNoTrans,
          CblasTrans,
          count,
          rows,
          columns,
          1,
          x,
          columns,
          w,
          columns,
          0,
          y,
          rows);
    }
  }

  @Override
  public double output(int row, int channel) {
    return y.get((long) row * rows + channel);
  }

  @Override
  public double expected(int row, int channel) {
    double sum = 0;
    for (int column = 0; column < columns; column++) {
      sum +=
          (double) x.get((long) row * columns + column)
              * weights.getFirst().get((long) channel * columns + column);
    }
    return sum;
  }

  @Override
  public double tolerance() {
    return 1e-3;
  }

  @Override
  public void close() {
    weights.forEach(FloatPointer::close);
    y.close();
  }
}
