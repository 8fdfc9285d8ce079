package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Fused steps, one method per C function. Shapes, units and arithmetic are in strata.h;
/// structs are written by [Structs]. Segments are off-heap and borrowed for the call. Sizes are the
/// caller's business: C can't check them.
public final class FusedKernels {

  /// Which product is inside of [#linear]; the ordinal is `enum strata_path`.
  public enum Path {
    STREAM,
    BLOCK,
    BITSERIAL
  }

  private static final MethodHandle REQUANTIZE_ROWS =
      function(
          "strata_requantize_rows", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle LINEAR =
      function("strata_linear", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle LINEAR_SCRATCH =
      returningLong("strata_linear_scratch", ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LAYER_NORM_CODES =
      function(
          "strata_layer_norm_codes",
          ADDRESS,
          ADDRESS,
          ADDRESS,
          JAVA_FLOAT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle ATTENTION = function("strata_attention_f32", ADDRESS, ADDRESS);
  private static final MethodHandle ATTENTION_SCRATCH =
      returningLong("strata_attention_scratch", JAVA_LONG, JAVA_LONG);

  private FusedKernels() {}

  /// Floats to the codes of a product, balanced on the way.
  ///
  /// @param scratch `width` floats, 64-byte aligned
  public static void requantizeRows(
      MemorySegment x,
      long xStride,
      long rows,
      long width,
      MemorySegment requantize,
      MemorySegment scratch) {
    try {
      REQUANTIZE_ROWS.invokeExact(x, xStride, rows, width, requantize, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_requantize_rows", failure);
    }
  }

  /// A product whose output becomes codes at once.
  ///
  /// @param epilogue with a null `out` where nobody reads the floats
  /// @param path ordinal of [Path]
  /// @param scratch [#linearScratch] bytes, 64-byte aligned
  public static void linear(
      MemorySegment weights,
      MemorySegment rows,
      MemorySegment epilogue,
      long path,
      long activationBits,
      MemorySegment requantize,
      MemorySegment scratch) {
    try {
      LINEAR.invokeExact(weights, rows, epilogue, path, activationBits, requantize, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_linear", failure);
    }
  }

  /// Bytes of scratch that [#linear] needs.
  ///
  /// @param group columns of a group of the codes it writes
  public static long linearScratch(MemorySegment weights, long rows, long group) {
    try {
      return (long) LINEAR_SCRATCH.invokeExact(weights, rows, group);
    } catch (Throwable failure) {
      throw new AssertionError("strata_linear_scratch", failure);
    }
  }

  /// Layer norm whose output becomes codes at once.
  ///
  /// @param y floats, or [MemorySegment#NULL] where nobody reads them
  /// @param scratch `2 * width` floats, 64-byte aligned
  public static void layerNormCodes(
      MemorySegment x,
      MemorySegment scale,
      MemorySegment bias,
      float epsilon,
      MemorySegment y,
      long rows,
      long width,
      MemorySegment requantize,
      MemorySegment scratch) {
    try {
      LAYER_NORM_CODES.invokeExact(x, scale, bias, epsilon, y, rows, width, requantize, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_layer_norm_codes", failure);
    }
  }

  /// Scaled dot-product attention.
  ///
  /// @param scratch [#attentionScratch] bytes, 64-byte aligned
  public static void attention(MemorySegment attention, MemorySegment scratch) {
    try {
      ATTENTION.invokeExact(attention, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_attention_f32", failure);
    }
  }

  /// Bytes of scratch that [#attention] needs.
  public static long attentionScratch(long keys, long depth) {
    try {
      return (long) ATTENTION_SCRATCH.invokeExact(keys, depth);
    } catch (Throwable failure) {
      throw new AssertionError("strata_attention_scratch", failure);
    }
  }

  private static MethodHandle function(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.ofVoid(arguments));
  }

  private static MethodHandle returningLong(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.of(JAVA_LONG, arguments));
  }
}
