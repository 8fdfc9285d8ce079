package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The float operators, one method per C function. Shapes, units and arithmetic are in strata.h.
/// Segments are off-heap, borrowed for the call and, unless said otherwise, don't overlap the
/// output. Sizes are the caller's business: C can't check them.
public final class FloatKernels {

  private static final MethodHandle MATMUL_F32 =
      function(
          "strata_matmul_f32",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS);
  private static final MethodHandle MATMUL_SCRATCH =
      returningLong("strata_matmul_scratch", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle DEPTHWISE_F32 =
      function("strata_depthwise_f32", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle UNARY_F32 =
      function("strata_unary_f32", JAVA_LONG, JAVA_FLOAT, JAVA_FLOAT, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle BINARY_F32 =
      function(
          "strata_binary_f32",
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle WHERE_F32 =
      function(
          "strata_where_f32",
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle SOFTMAX_F32 =
      function("strata_softmax_f32", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LAYER_NORM_F32 =
      function(
          "strata_layer_norm_f32",
          ADDRESS,
          ADDRESS,
          ADDRESS,
          JAVA_FLOAT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle REDUCE_F32 =
      function("strata_reduce_f32", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle POOL_F32 =
      function(
          "strata_pool_f32", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle COPY =
      function("strata_copy", JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle FILL_F32 =
      function("strata_fill_f32", JAVA_FLOAT, ADDRESS, JAVA_LONG);
  private static final MethodHandle TAKE =
      returningLong(
          "strata_take",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle RESIZE_F32 =
      function(
          "strata_resize_f32",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle CAST_I64_F32 =
      function("strata_cast_i64_f32", ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle CAST_F32_I64 =
      function("strata_cast_f32_i64", ADDRESS, ADDRESS, JAVA_LONG);

  private FloatKernels() {}

  /// Batched float matrix product with the epilogue of [Structs#epilogue].
  ///
  /// @param bTransposed 1 if b is stored `[n][ldb]`, else 0
  /// @param epilogue a null bias is zero; `out` is that of batch 0
  /// @param scratch [#matmulScratch] bytes
  public static void matmulF32(
      long batch,
      long m,
      long n,
      long k,
      MemorySegment a,
      long lda,
      long aStride,
      MemorySegment b,
      long ldb,
      long bStride,
      long bTransposed,
      MemorySegment epilogue,
      long cStride,
      MemorySegment scratch) {
    try {
      MATMUL_F32.invokeExact(
          batch,
          m,
          n,
          k,
          a,
          lda,
          aStride,
          b,
          ldb,
          bStride,
          bTransposed,
          epilogue,
          cStride,
          scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_matmul_f32", failure);
    }
  }

  /// Bytes of scratch that [#matmulF32] needs.
  public static long matmulScratch(long n, long k) {
    try {
      return (long) MATMUL_SCRATCH.invokeExact(n, k);
    } catch (Throwable failure) {
      throw new AssertionError("strata_matmul_scratch", failure);
    }
  }

  /// Float convolution of each channel by itself.
  ///
  /// @param weights `[channels][kernelHeight * kernelWidth]`
  public static void depthwiseF32(
      MemorySegment window, MemorySegment x, MemorySegment weights, MemorySegment epilogue) {
    try {
      DEPTHWISE_F32.invokeExact(window, x, weights, epilogue);
    } catch (Throwable failure) {
      throw new AssertionError("strata_depthwise_f32", failure);
    }
  }

  /// An elementwise function.
  ///
  /// @param function ordinal of a [dev.strata.graph.Activation.Kind]
  /// @param y may be x
  public static void unaryF32(
      long function, float alpha, float beta, MemorySegment x, MemorySegment y, long count) {
    try {
      UNARY_F32.invokeExact(function, alpha, beta, x, y, count);
    } catch (Throwable failure) {
      throw new AssertionError("strata_unary_f32", failure);
    }
  }

  /// An elementwise function of two broadcast operands.
  ///
  /// @param function ordinal of a [dev.strata.graph.Op.Binary.Function] up to PRELU
  /// @param dims `[rank]` longs
  /// @param aStrides `[rank]` longs, in elements
  /// @param y dense; may be an operand that isn't broadcast
  public static void binaryF32(
      long function,
      long rank,
      MemorySegment dims,
      MemorySegment aStrides,
      MemorySegment bStrides,
      MemorySegment a,
      MemorySegment b,
      MemorySegment y) {
    try {
      BINARY_F32.invokeExact(function, rank, dims, aStrides, bStrides, a, b, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_binary_f32", failure);
    }
  }

  /// condition != 0 ? a : b.
  ///
  /// @param condition INT64 values
  public static void whereF32(
      long rank,
      MemorySegment dims,
      MemorySegment cStrides,
      MemorySegment aStrides,
      MemorySegment bStrides,
      MemorySegment condition,
      MemorySegment a,
      MemorySegment b,
      MemorySegment y) {
    try {
      WHERE_F32.invokeExact(rank, dims, cStrides, aStrides, bStrides, condition, a, b, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_where_f32", failure);
    }
  }

  /// Softmax of each row; y may be x.
  public static void softmaxF32(MemorySegment x, MemorySegment y, long rows, long width) {
    try {
      SOFTMAX_F32.invokeExact(x, y, rows, width);
    } catch (Throwable failure) {
      throw new AssertionError("strata_softmax_f32", failure);
    }
  }

  /// Layer norm of each row; y may be x.
  public static void layerNormF32(
      MemorySegment x,
      MemorySegment scale,
      MemorySegment bias,
      float epsilon,
      MemorySegment y,
      long rows,
      long width) {
    try {
      LAYER_NORM_F32.invokeExact(x, scale, bias, epsilon, y, rows, width);
    } catch (Throwable failure) {
      throw new AssertionError("strata_layer_norm_f32", failure);
    }
  }

  /// Reduces the middle of `[outer][axis][inner]`.
  ///
  /// @param function ordinal of a [dev.strata.graph.Op.Reduce.Reduction]: MEAN, SUM or MAX
  public static void reduceF32(
      long function, long outer, long axis, long inner, MemorySegment x, MemorySegment y) {
    try {
      REDUCE_F32.invokeExact(function, outer, axis, inner, x, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_reduce_f32", failure);
    }
  }

  /// Pooling of NHWC images.
  ///
  /// @param function ordinal of a [dev.strata.graph.Op.Pool.Pooling]
  /// @param countPadding 1 if padding counts in the average, else 0
  public static void poolF32(
      long function,
      MemorySegment window,
      long padBottom,
      long padRight,
      long countPadding,
      MemorySegment x,
      MemorySegment y) {
    try {
      POOL_F32.invokeExact(function, window, padBottom, padRight, countPadding, x, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_pool_f32", failure);
    }
  }

  /// Strided copy of elements of 4 or 8 bytes.
  ///
  /// @param size bytes of an element
  public static void copy(
      long size,
      long rank,
      MemorySegment dims,
      MemorySegment srcStrides,
      MemorySegment dstStrides,
      MemorySegment src,
      MemorySegment dst) {
    try {
      COPY.invokeExact(size, rank, dims, srcStrides, dstStrides, src, dst);
    } catch (Throwable failure) {
      throw new AssertionError("strata_copy", failure);
    }
  }

  /// y[i] = value.
  public static void fillF32(float value, MemorySegment y, long count) {
    try {
      FILL_F32.invokeExact(value, y, count);
    } catch (Throwable failure) {
      throw new AssertionError("strata_fill_f32", failure);
    }
  }

  /// Picks rows of `inner` elements.
  ///
  /// @return 0, or -1 if an index is out of range; y is then incomplete
  public static long take(
      long size,
      long outer,
      long axis,
      long inner,
      MemorySegment indices,
      long count,
      MemorySegment x,
      MemorySegment y) {
    try {
      return (long) TAKE.invokeExact(size, outer, axis, inner, indices, count, x, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_take", failure);
    }
  }

  /// Bilinear or nearest resize of NHWC images by tables of source rows and columns.
  public static void resizeF32(
      long samples,
      long height,
      long width,
      long channels,
      long outHeight,
      long outWidth,
      MemorySegment row0,
      MemorySegment row1,
      MemorySegment rowWeight,
      MemorySegment col0,
      MemorySegment col1,
      MemorySegment colWeight,
      MemorySegment x,
      MemorySegment y) {
    try {
      RESIZE_F32.invokeExact(
          samples, height, width, channels, outHeight, outWidth, row0, row1, rowWeight, col0, col1,
          colWeight, x, y);
    } catch (Throwable failure) {
      throw new AssertionError("strata_resize_f32", failure);
    }
  }

  /// INT64 to FP32.
  public static void castI64F32(MemorySegment x, MemorySegment y, long count) {
    try {
      CAST_I64_F32.invokeExact(x, y, count);
    } catch (Throwable failure) {
      throw new AssertionError("strata_cast_i64_f32", failure);
    }
  }

  /// FP32 to INT64, rounding as a Java cast does.
  public static void castF32I64(MemorySegment x, MemorySegment y, long count) {
    try {
      CAST_F32_I64.invokeExact(x, y, count);
    } catch (Throwable failure) {
      throw new AssertionError("strata_cast_f32_i64", failure);
    }
  }

  private static MethodHandle function(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.ofVoid(arguments));
  }

  private static MethodHandle returningLong(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.of(JAVA_LONG, arguments));
  }
}
