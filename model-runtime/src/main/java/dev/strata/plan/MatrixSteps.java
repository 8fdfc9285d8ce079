package dev.strata.plan;

import static dev.strata.graph.DataType.FP32;

import dev.strata.graph.Activation;
import dev.strata.graph.Shape;
import dev.strata.graph.ShapeInference;
import dev.strata.graph.StridedView;
import dev.strata.graph.TensorType;
import dev.strata.kernel.FloatKernels;
import dev.strata.kernel.FusedKernels;
import dev.strata.kernel.Structs;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Products of two activations. Transposed operands are read where they lie as long as rows or
/// columns of a matrix are contiguous, so attention moves nothing to split its heads.
final class MatrixSteps {
  private final Program program;
  private final MovementSteps movement;

  MatrixSteps(Program program, MovementSteps movement) {
    this.program = program;
    this.movement = movement;
  }

  /// Matrices in a region: the last two axes of the view are rows and columns.
  private record Operand(Region region, StridedView view) {
    long stride(int axisFromEnd) {
      return view.strides()[view.shape().rank() - axisFromEnd];
    }

    long rows() {
      return view.shape().dim(-2);
    }

    long columns() {
      return view.shape().dim(-1);
    }

    boolean hasContiguousRows() {
      return stride(1) == 1 || columns() == 1;
    }

    boolean hasContiguousColumns() {
      return stride(2) == 1 || rows() == 1;
    }

    Shape batch() {
      return ShapeInference.batchOf(view.shape());
    }

    /// Strides of the batch axes of the result; 0 repeats.
    long[] batchStrides(Shape result) {
      Shape own = batch();
      int missing = result.rank() - own.rank();
      long[] strides = new long[result.rank()];
      for (int axis = missing; axis < strides.length; axis++) {
        strides[axis] = own.dim(axis - missing) == 1 ? 0 : view.strides()[axis - missing];
      }
      return strides;
    }
  }

  /// One call's share of the product.
  private record Call(
      long batch,
      long m,
      long n,
      long k,
      long lda,
      long aStride,
      long ldb,
      long bStride,
      boolean transposed) {}

  /// One call for all matrices that both operands walk evenly, else one for each index of the outer
  /// axes where they do not.
  Region product(Value left, Value right, Shape shape) {
    Operand a = operand(left, Shape.of(1, left.shape().dim(-1)));
    Operand b = operand(right, Shape.of(right.shape().dim(-1), 1));
    if (!a.hasContiguousRows()) {
      a = dense(a);
    }
    if (!b.hasContiguousRows() && !b.hasContiguousColumns()) {
      b = dense(b);
    }
    boolean transposed = !b.hasContiguousRows();
    long ldb = b.stride(transposed ? 1 : 2);
    long m = a.rows();
    long k = a.columns();
    long n = b.columns();
    Shape batch = ShapeInference.broadcast(a.batch(), b.batch());
    Region.Slot out = program.floats(shape.elements());
    if (b.batch().elements() == 1) {
      // All rows of the left side are one matrix, if they lie evenly.
      StridedLoop rows = rows(a);
      if (rows.rank() == 1) {
        Call all =
            new Call(1, batch.elements() * m, n, k, rows.strides(0)[0], 0, ldb, 0, transposed);
        call(a.region(), 0, b.region(), 0, out, 0, all);
        return out;
      }
    }
    StridedLoop loop = StridedLoop.of(batch, List.of(a.batchStrides(batch), b.batchStrides(batch)));
    int last = loop.rank() - 1;
    long inner = loop.dims()[last];
    Call one =
        new Call(
            inner,
            m,
            n,
            k,
            a.stride(2),
            loop.strides(0)[last],
            ldb,
            loop.strides(1)[last],
            transposed);
    for (long i = 0; i < batch.elements() / inner; i++) {
      long rest = i;
      long aFrom = 0;
      long bFrom = 0;
      for (int axis = last - 1; axis >= 0; axis--) {
        long index = rest % loop.dims()[axis];
        rest /= loop.dims()[axis];
        aFrom += index * loop.strides(0)[axis];
        bFrom += index * loop.strides(1)[axis];
      }
      call(a.region(), aFrom, b.region(), bFrom, out, i * inner * m * n, one);
    }
    return out;
  }

  private static long scratchBytes(Structs.AttentionShape shape) {
    return FusedKernels.attentionScratch(shape.keys(), shape.depth());
  }

  /// An operand from its head `first` on.
  private static Structs.Heads heads(
      Program.Memory memory,
      Region region,
      long first,
      long batchStride,
      long headStride,
      long rowStride) {
    return new Structs.Heads(
        memory.at(region, first * headStride * Float.BYTES), batchStride, headStride, rowStride);
  }

  /// Attention in one step, if its operands lie as the kernel reads them: samples, heads and
  /// rows at any stride, the elements of a row side by side.
  ///
  /// @param keys `[N, heads, depth, keys]`, transposed
  /// @param scale one number
  /// @return empty if they do not
  Optional<Value> attention(
      Attention of,
      Value queries,
      Value keys,
      Value values,
      Optional<Float> scale,
      Optional<Value> mask) {
    if (queries.shape().rank() != 4 || keys.shape().rank() != 4 || values.shape().rank() != 4) {
      return Optional.empty();
    }
    Operand q = operand(queries, queries.shape());
    Operand k = operand(keys, keys.shape());
    Operand v = operand(values, values.shape());
    Structs.AttentionShape shape =
        new Structs.AttentionShape(
            q.view().shape().dim(0),
            q.view().shape().dim(1),
            q.rows(),
            k.columns(),
            q.columns(),
            v.columns());
    Shape scores = Shape.of(shape.batch(), shape.heads(), shape.queries(), shape.keys());
    boolean fits =
        q.batch().equals(k.batch())
            && q.batch().equals(v.batch())
            && k.rows() == shape.depth()
            && v.rows() == shape.keys()
            && scores.elements() > 0
            && q.hasContiguousRows()
            && k.hasContiguousColumns()
            && v.hasContiguousRows()
            && mask.map(value -> isMaskOf(value, scores)).orElse(true);
    if (!fits) {
      return Optional.empty();
    }
    long rowStride = of.joined() ? shape.heads() * shape.valueDepth() : shape.valueDepth();
    long headStride = of.joined() ? shape.valueDepth() : shape.queries() * shape.valueDepth();
    long sampleStride = shape.heads() * shape.queries() * shape.valueDepth();
    Region.Slot out = program.floats(shape.batch() * sampleStride);
    Optional<Region> added = mask.map(program::region);
    long[] maskStrides =
        mask.map(value -> StridedView.broadcast(value.shape(), scores).strides())
            .orElse(new long[4]);
    long multiplyAdds = scores.elements() * (shape.depth() + shape.valueDepth());
    StepDescription what =
        new StepDescription(
            program.node(),
            "attention",
            StepDescription.dims(
                shape.batch(), shape.heads(), shape.queries(), shape.keys(), shape.depth()),
            0,
            Float.SIZE,
            multiplyAdds,
            0,
            0);
    record Piece(Part heads, Region.Slot scratch) {}
    List<Piece> pieces =
        Part.cut(shape.heads(), 1, program.parts(what)).stream()
            .map(heads -> new Piece(heads, program.slot(scratchBytes(shape))))
            .toList();
    List<Region> regions = new ArrayList<>(List.of(q.region(), k.region(), v.region(), out));
    pieces.forEach(piece -> regions.add(piece.scratch()));
    added.ifPresent(regions::add);
    program.shared(
        what,
        regions,
        memory -> {
          List<Runnable> calls = new ArrayList<>();
          for (Piece piece : pieces) {
            long first = piece.heads().from();
            MemorySegment struct = program.struct(Structs.attentionBytes());
            Structs.attention(
                struct,
                new Structs.AttentionShape(
                    shape.batch(),
                    piece.heads().count(),
                    shape.queries(),
                    shape.keys(),
                    shape.depth(),
                    shape.valueDepth()),
                heads(memory, q.region(), first, q.stride(4), q.stride(3), q.stride(2)),
                heads(memory, k.region(), first, k.stride(4), k.stride(3), k.stride(1)),
                heads(memory, v.region(), first, v.stride(4), v.stride(3), v.stride(2)),
                of.divides(),
                scale.orElse(1f),
                added
                    .map(region -> memory.at(region, first * maskStrides[1] * Float.BYTES))
                    .orElse(MemorySegment.NULL),
                maskStrides,
                heads(memory, out, first, sampleStride, headStride, rowStride));
            MemorySegment room = memory.at(piece.scratch());
            calls.add(() -> FusedKernels.attention(struct, room));
          }
          return calls;
        });
    Shape result =
        of.joined()
            ? Shape.of(shape.batch(), shape.queries(), shape.heads(), shape.valueDepth())
            : Shape.of(shape.batch(), shape.heads(), shape.queries(), shape.valueDepth());
    return Optional.of(new Value.Computed(new TensorType(FP32, result), out));
  }

  private static boolean isMaskOf(Value mask, Shape scores) {
    Shape shape = mask.shape();
    boolean fits = mask.type().type() == FP32 && shape.rank() <= scores.rank();
    for (int axis = 0; fits && axis < shape.rank(); axis++) {
      long dim = shape.dim(axis);
      fits = dim == 1 || dim == scores.dim(axis + scores.rank() - shape.rank());
    }
    return fits && !(mask instanceof Value.Turned) && !(mask instanceof Value.Balanced);
  }

  /// @param matrix what a vector is taken for
  private Operand operand(Value value, Shape matrix) {
    return switch (value) {
      case Value.Turned turned -> new Operand(program.region(turned.below()), turned.view());
      case Value.Static _, Value.Computed _, Value.Balanced _ ->
          new Operand(
              program.region(value),
              StridedView.dense(value.shape().rank() == 1 ? matrix : value.shape()));
    };
  }

  private Operand dense(Operand operand) {
    return new Operand(
        movement.copy(FP32, operand.region(), operand.view()),
        StridedView.dense(operand.view().shape()));
  }

  /// The loops over all rows of all matrices.
  private static StridedLoop rows(Operand a) {
    int rank = a.view().shape().rank();
    Shape rows = new Shape(a.view().shape().dims().subList(0, rank - 1));
    return StridedLoop.of(rows, List.of(java.util.Arrays.copyOf(a.view().strides(), rank - 1)));
  }

  private void call(Region a, long aFrom, Region b, long bFrom, Region out, long outFrom, Call of) {
    Region bias =
        program.repeated(0, Math.ceilDiv(of.n(), PlaneLayout.PANEL_ROWS) * PlaneLayout.PANEL_ROWS);
    Region.Slot scratch = program.slot(FloatKernels.matmulScratch(of.n(), of.k()));
    long multiplyAdds = of.batch() * of.m() * of.n() * of.k();
    program.step(
        new StepDescription(
            program.node(),
            "float matmul",
            StepDescription.dims(of.batch(), of.m(), of.k(), of.n()),
            0,
            Float.SIZE,
            multiplyAdds,
            0,
            0),
        List.of(a, b, out, scratch),
        memory -> {
          MemorySegment epilogue = program.struct(Structs.epilogueBytes());
          Structs.epilogue(
              epilogue,
              memory.at(bias),
              MemorySegment.NULL,
              0,
              Activation.IDENTITY,
              memory.at(out, outFrom * Float.BYTES),
              of.n());
          MemorySegment x = memory.at(a, aFrom * Float.BYTES);
          MemorySegment z = memory.at(b, bFrom * Float.BYTES);
          MemorySegment room = memory.at(scratch);
          return () ->
              FloatKernels.matmulF32(
                  of.batch(),
                  of.m(),
                  of.n(),
                  of.k(),
                  x,
                  of.lda(),
                  of.aStride(),
                  z,
                  of.ldb(),
                  of.bStride(),
                  of.transposed() ? 1 : 0,
                  epilogue,
                  of.m() * of.n(),
                  room);
        });
  }
}
