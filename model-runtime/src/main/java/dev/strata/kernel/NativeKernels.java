package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The integer kernels, one method per C function. Shapes, units and arithmetic are in strata.h;
/// structs are written by [Structs]. Segments are off-heap and borrowed for the call. Sizes are the
/// caller's business: C can't check them.
public final class NativeKernels {

  private static final MethodHandle STREAM = function("strata_stream", ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle BLOCK =
      function("strata_block", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle BLOCK_SCRATCH = returningLong("strata_block_scratch", ADDRESS);
  private static final MethodHandle BITSERIAL =
      function("strata_bitserial", ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle BITSERIAL_SCRATCH =
      returningLong("strata_bitserial_scratch", ADDRESS);
  private static final MethodHandle CODEBOOK =
      function("strata_codebook", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle ADDER =
      function("strata_adder", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle GATHER =
      function("strata_gather", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
  private static final MethodHandle CONV =
      function(
          "strata_conv",
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle CONV_SCRATCH =
      returningLong("strata_conv_scratch", ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle CONV_BITSERIAL =
      function(
          "strata_conv_bitserial",
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle CONV_BITSERIAL_SCRATCH =
      returningLong("strata_conv_bitserial_scratch", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
  private static final MethodHandle DEPTHWISE =
      function("strata_depthwise", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle QUANTIZE_ROWS =
      function(
          "strata_quantize_rows",
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle QUANTIZE_SAMPLES =
      function("strata_quantize_samples", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  private static final MethodHandle QUANTIZE_STATIC =
      function(
          "strata_quantize_static",
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_FLOAT,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);
  private static final MethodHandle QUANTIZE_CHANNELS =
      function(
          "strata_quantize_channels", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
  private static final MethodHandle PACK_PLANES =
      function("strata_pack_planes", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle IM2COL_F32 =
      function("strata_im2col_f32", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);

  private NativeKernels() {}

  /// Matrix product for few activation rows.
  public static void stream(MemorySegment weights, MemorySegment rows, MemorySegment epilogue) {
    try {
      STREAM.invokeExact(weights, rows, epilogue);
    } catch (Throwable failure) {
      throw new AssertionError("strata_stream", failure);
    }
  }

  /// Matrix product for many activation rows.
  ///
  /// @param scratch [#blockScratch] bytes, 64-byte aligned
  public static void block(
      MemorySegment weights, MemorySegment rows, MemorySegment epilogue, MemorySegment scratch) {
    try {
      BLOCK.invokeExact(weights, rows, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_block", failure);
    }
  }

  /// Bytes of scratch that [#block] needs.
  public static long blockScratch(MemorySegment weights) {
    try {
      return (long) BLOCK_SCRATCH.invokeExact(weights);
    } catch (Throwable failure) {
      throw new AssertionError("strata_block_scratch", failure);
    }
  }

  /// Matrix product of weight planes and activation planes.
  ///
  /// @param scratch [#bitserialScratch] bytes, 64-byte aligned
  public static void bitserial(
      MemorySegment weights,
      MemorySegment rows,
      long activationBits,
      MemorySegment epilogue,
      MemorySegment scratch) {
    try {
      BITSERIAL.invokeExact(weights, rows, activationBits, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_bitserial", failure);
    }
  }

  /// Bytes of scratch that [#bitserial] needs.
  public static long bitserialScratch(MemorySegment weights) {
    try {
      return (long) BITSERIAL_SCRATCH.invokeExact(weights);
    } catch (Throwable failure) {
      throw new AssertionError("strata_bitserial_scratch", failure);
    }
  }

  /// Matrix product of weights that stand in a table.
  ///
  /// @param codebook `[2^bits]` signed bytes
  /// @param scratch [#blockScratch] bytes, 64-byte aligned
  public static void codebook(
      MemorySegment weights,
      MemorySegment codebook,
      MemorySegment rows,
      MemorySegment epilogue,
      MemorySegment scratch) {
    try {
      CODEBOOK.invokeExact(weights, codebook, rows, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_codebook", failure);
    }
  }

  /// Sums of absolute differences of weights and activations.
  ///
  /// @param width columns that count
  /// @param scratch [#blockScratch] bytes, 64-byte aligned
  public static void adder(
      MemorySegment weights,
      long width,
      MemorySegment rows,
      MemorySegment epilogue,
      MemorySegment scratch) {
    try {
      ADDER.invokeExact(weights, width, rows, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_adder", failure);
    }
  }

  /// Rows of the matrix as floats.
  ///
  /// @param ids `[count]` longs, each within the rows of the matrix
  /// @param out `[count]` rows of `outStride` floats, `width` of them written
  public static void gather(
      MemorySegment weights,
      MemorySegment ids,
      long count,
      long width,
      MemorySegment out,
      long outStride) {
    try {
      GATHER.invokeExact(weights, ids, count, width, out, outStride);
    } catch (Throwable failure) {
      throw new AssertionError("strata_gather", failure);
    }
  }

  /// Quantized convolution.
  ///
  /// @param weights array of `submatrices` structs
  /// @param x NHWC codes
  /// @param xScale `[samples]` floats
  /// @param scratch [#convScratch] bytes, 64-byte aligned
  public static void conv(
      MemorySegment weights,
      long submatrices,
      MemorySegment window,
      MemorySegment x,
      MemorySegment xScale,
      long padCode,
      MemorySegment epilogue,
      MemorySegment scratch) {
    try {
      CONV.invokeExact(weights, submatrices, window, x, xScale, padCode, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_conv", failure);
    }
  }

  /// Bytes of scratch that [#conv] needs.
  public static long convScratch(MemorySegment weights, long submatrices, MemorySegment window) {
    try {
      return (long) CONV_SCRATCH.invokeExact(weights, submatrices, window);
    } catch (Throwable failure) {
      throw new AssertionError("strata_conv_scratch", failure);
    }
  }

  /// Quantized convolution of weight planes and activation planes. The channels of a group are a
  /// multiple of 32.
  ///
  /// @param weights array of `submatrices` structs
  /// @param x NHWC bit-planes: [#packPlanes] of pixels as rows
  /// @param xScale `[samples]` floats
  /// @param scratch [#convBitserialScratch] bytes, 64-byte aligned
  public static void convBitserial(
      MemorySegment weights,
      long submatrices,
      MemorySegment window,
      long activationBits,
      MemorySegment x,
      MemorySegment xScale,
      long padCode,
      MemorySegment epilogue,
      MemorySegment scratch) {
    try {
      CONV_BITSERIAL.invokeExact(
          weights, submatrices, window, activationBits, x, xScale, padCode, epilogue, scratch);
    } catch (Throwable failure) {
      throw new AssertionError("strata_conv_bitserial", failure);
    }
  }

  /// Bytes of scratch that [#convBitserial] needs.
  public static long convBitserialScratch(
      MemorySegment weights, long submatrices, MemorySegment window, long activationBits) {
    try {
      return (long)
          CONV_BITSERIAL_SCRATCH.invokeExact(weights, submatrices, window, activationBits);
    } catch (Throwable failure) {
      throw new AssertionError("strata_conv_bitserial_scratch", failure);
    }
  }

  /// Quantized convolution of each channel by itself.
  ///
  /// @param padCodes `[channels]` bytes
  public static void depthwise(
      MemorySegment weights,
      MemorySegment window,
      MemorySegment x,
      MemorySegment xScale,
      MemorySegment padCodes,
      MemorySegment epilogue) {
    try {
      DEPTHWISE.invokeExact(weights, window, x, xScale, padCodes, epilogue);
    } catch (Throwable failure) {
      throw new AssertionError("strata_depthwise", failure);
    }
  }

  /// Quantizes each group of columns of each row with its own scale.
  public static void quantizeRows(
      MemorySegment x,
      long xStride,
      long rows,
      long width,
      long columns,
      long group,
      MemorySegment codes,
      MemorySegment sums,
      MemorySegment scale) {
    try {
      QUANTIZE_ROWS.invokeExact(x, xStride, rows, width, columns, group, codes, sums, scale);
    } catch (Throwable failure) {
      throw new AssertionError("strata_quantize_rows", failure);
    }
  }

  /// Quantizes each sample with its own scale, without padding and sums.
  public static void quantizeSamples(
      MemorySegment x, long samples, long width, MemorySegment codes, MemorySegment scale) {
    try {
      QUANTIZE_SAMPLES.invokeExact(x, samples, width, codes, scale);
    } catch (Throwable failure) {
      throw new AssertionError("strata_quantize_samples", failure);
    }
  }

  /// Quantizes with a scale known beforehand.
  public static void quantizeStatic(
      MemorySegment x,
      long xStride,
      long rows,
      long width,
      long columns,
      long group,
      float inverseScale,
      long zeroPoint,
      long low,
      long high,
      MemorySegment codes,
      MemorySegment sums) {
    try {
      QUANTIZE_STATIC.invokeExact(
          x, xStride, rows, width, columns, group, inverseScale, zeroPoint, low, high, codes, sums);
    } catch (Throwable failure) {
      throw new AssertionError("strata_quantize_static", failure);
    }
  }

  /// Quantizes each channel with its own scale and zero point, known beforehand.
  ///
  /// @param inverseScale `[channels]` floats
  /// @param zeroPoint `[channels]` signed bytes
  public static void quantizeChannels(
      MemorySegment x,
      long pixels,
      long channels,
      MemorySegment inverseScale,
      MemorySegment zeroPoint,
      MemorySegment codes) {
    try {
      QUANTIZE_CHANNELS.invokeExact(x, pixels, channels, inverseScale, zeroPoint, codes);
    } catch (Throwable failure) {
      throw new AssertionError("strata_quantize_channels", failure);
    }
  }

  /// Codes as bytes to the bit-planes that [#bitserial] reads.
  public static void packPlanes(
      MemorySegment codes, long rows, long columns, long activationBits, MemorySegment planes) {
    try {
      PACK_PLANES.invokeExact(codes, rows, columns, activationBits, planes);
    } catch (Throwable failure) {
      throw new AssertionError("strata_pack_planes", failure);
    }
  }

  /// Lays the floats under each window position out as a row.
  public static void im2colF32(
      MemorySegment window, MemorySegment x, long firstChannel, long channels, MemorySegment out) {
    try {
      IM2COL_F32.invokeExact(window, x, firstChannel, channels, out);
    } catch (Throwable failure) {
      throw new AssertionError("strata_im2col_f32", failure);
    }
  }

  private static MethodHandle function(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.ofVoid(arguments));
  }

  private static MethodHandle returningLong(String name, MemoryLayout... arguments) {
    return NativeLibrary.loaded().function(name, FunctionDescriptor.of(JAVA_LONG, arguments));
  }
}
