package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.strata.graph.Activation;
import dev.strata.graph.Op;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/// Writes the structs of strata.h. Every field is 8 bytes wide, so there is no padding.
///
/// A struct keeps addresses only: whoever writes one keeps the segments it names alive while a
/// kernel reads it.
public final class Structs {

  private static final long FIELD = Long.BYTES;
  private static final long WEIGHTS_FIELDS = Bits.MAX + 7;
  private static final long ROWS_FIELDS = 4;
  private static final long EPILOGUE_FIELDS = 8;
  private static final long WINDOW_FIELDS = 14;
  private static final long REQUANTIZE_FIELDS = 10;
  private static final long ATTENTION_FIELDS = 29;

  private Structs() {}

  public static long weightsBytes() {
    return WEIGHTS_FIELDS * FIELD;
  }

  public static long rowsBytes() {
    return ROWS_FIELDS * FIELD;
  }

  public static long epilogueBytes() {
    return EPILOGUE_FIELDS * FIELD;
  }

  public static long windowBytes() {
    return WINDOW_FIELDS * FIELD;
  }

  public static long requantizeBytes() {
    return REQUANTIZE_FIELDS * FIELD;
  }

  public static long attentionBytes() {
    return ATTENTION_FIELDS * FIELD;
  }

  /// `struct strata_weights`.
  ///
  /// @param at array of structs, 8-byte aligned
  /// @param index which of them to write
  /// @param planes the planes to read, most significant first, each `[panels][columns/32][64]`
  /// @param rows unpadded
  /// @param columns padded to whole groups
  /// @param group columns of a quantization group, a multiple of 32
  /// @param groups `[panels][columns/group][2][16]` bytes
  /// @param scale `[panels*16]` floats
  /// @param offset `[panels*16]` floats
  /// @throws IllegalArgumentException if a segment is smaller than its shape, or the shape is not
  ///     one of a plane layer
  public static void weights(
      MemorySegment at,
      long index,
      List<MemorySegment> planes,
      long rows,
      long columns,
      long group,
      MemorySegment groups,
      MemorySegment scale,
      MemorySegment offset) {
    Bits bits = new Bits(planes.size());
    require("rows", rows, rows > 0, "a positive count");
    require(
        "group", group, group > 0 && group % PlaneLayout.BLOCK_COLUMNS == 0, "a multiple of 32");
    require("columns", columns, columns > 0 && columns % group == 0, "a multiple of the group");
    long panels = Math.ceilDiv(rows, PlaneLayout.PANEL_ROWS);
    long planeBytes = panels * (columns / PlaneLayout.BLOCK_COLUMNS) * PlaneLayout.LINE_BYTES;
    long tableBytes = panels * PlaneLayout.PANEL_ROWS * Float.BYTES;
    for (MemorySegment plane : planes) {
      requireBytes("plane", plane, planeBytes);
    }
    requireBytes("groups", groups, panels * (columns / group) * 2 * PlaneLayout.PANEL_ROWS);
    requireBytes("scale", scale, tableBytes);
    requireBytes("offset", offset, tableBytes);

    var fields = new Fields(at.asSlice(index * weightsBytes(), weightsBytes()));
    for (int plane = 0; plane < Bits.MAX; plane++) {
      fields.put(plane < bits.count() ? planes.get(plane) : MemorySegment.NULL);
    }
    fields.put(bits.count()).put(rows).put(columns).put(group);
    fields.put(groups).put(scale).put(offset);
  }

  /// `struct strata_weights` of some of the rows of another one.
  ///
  /// @param whole what [#weights] wrote
  /// @param firstRow where a panel begins
  public static void weightsPart(MemorySegment at, MemorySegment whole, long firstRow, long rows) {
    require("firstRow", firstRow, firstRow % PlaneLayout.PANEL_ROWS == 0, "a multiple of 16");
    long panel = firstRow / PlaneLayout.PANEL_ROWS;
    MemorySegment.copy(whole, 0, at, 0, weightsBytes());
    long columns = whole.get(JAVA_LONG, (Bits.MAX + 2) * FIELD);
    long group = whole.get(JAVA_LONG, (Bits.MAX + 3) * FIELD);
    long blocks = columns / PlaneLayout.BLOCK_COLUMNS;
    long bits = whole.get(JAVA_LONG, Bits.MAX * FIELD);
    for (int plane = 0; plane < bits; plane++) {
      advance(at, plane, panel * blocks * PlaneLayout.LINE_BYTES);
    }
    at.set(JAVA_LONG, (Bits.MAX + 1) * FIELD, rows);
    advance(at, Bits.MAX + 4, panel * (columns / group) * 2 * PlaneLayout.PANEL_ROWS);
    advance(at, Bits.MAX + 5, firstRow * Float.BYTES);
    advance(at, Bits.MAX + 6, firstRow * Float.BYTES);
  }

  private static void advance(MemorySegment struct, int field, long bytes) {
    long at = field * FIELD;
    struct.set(JAVA_LONG, at, struct.get(JAVA_LONG, at) + bytes);
  }

  /// `struct strata_rows`.
  ///
  /// @param codes `[count][columns]` bytes, or for bit-serial `[count][abits][columns/32]` ints
  /// @param sums `[count][columns/group]` ints
  /// @param scale `[count][columns/group]` floats
  /// @param groups `columns/group`
  public static void rows(
      MemorySegment at,
      MemorySegment codes,
      MemorySegment sums,
      MemorySegment scale,
      long count,
      long groups) {
    requireBytes("sums", sums, count * groups * Integer.BYTES);
    requireBytes("scale", scale, count * groups * Float.BYTES);
    new Fields(at.asSlice(0, rowsBytes())).put(codes).put(sums).put(scale).put(count);
  }

  /// `struct strata_epilogue`.
  ///
  /// @param bias `[panels*16]` floats
  /// @param residual rows of `residualStride` floats, or [MemorySegment#NULL]
  /// @param out rows of `outStride` floats
  @SuppressWarnings("EnumOrdinal") // the order of the kinds is part of the native ABI
  public static void epilogue(
      MemorySegment at,
      MemorySegment bias,
      MemorySegment residual,
      long residualStride,
      Activation activation,
      MemorySegment out,
      long outStride) {
    new Fields(at.asSlice(0, epilogueBytes()))
        .put(bias)
        .put(residual)
        .put(residualStride)
        .put(activation.kind().ordinal())
        .put((double) activation.alpha())
        .put((double) activation.beta())
        .put(out)
        .put(outStride);
  }

  /// `struct strata_window`: a window over NHWC images.
  public static void window(
      MemorySegment at,
      long samples,
      long height,
      long width,
      long channels,
      long outHeight,
      long outWidth,
      Op.Window window) {
    new Fields(at.asSlice(0, windowBytes()))
        .put(samples)
        .put(height)
        .put(width)
        .put(channels)
        .put(outHeight)
        .put(outWidth)
        .put(window.kernelHeight())
        .put(window.kernelWidth())
        .put(window.strideHeight())
        .put(window.strideWidth())
        .put(window.dilationHeight())
        .put(window.dilationWidth())
        .put(window.padTop())
        .put(window.padLeft());
  }

  /// `struct strata_requantize`.
  ///
  /// @param balance factors of the columns, or [MemorySegment#NULL]
  /// @param fixed scale and range of static codes; absent: codes with a scale for each group
  /// @param scale rows of `columns/group` floats, or [MemorySegment#NULL] for static codes
  public static void requantize(
      MemorySegment at,
      MemorySegment balance,
      long columns,
      long group,
      Optional<StaticCodes> fixed,
      MemorySegment codes,
      MemorySegment sums,
      MemorySegment scale) {
    StaticCodes by = fixed.orElse(new StaticCodes(0, 0, 0, 0));
    new Fields(at.asSlice(0, requantizeBytes()))
        .put(balance)
        .put(columns)
        .put(group)
        .put((double) by.inverseScale())
        .put(by.zeroPoint())
        .put(by.low())
        .put(by.high())
        .put(codes)
        .put(sums)
        .put(scale);
  }

  /// `code = clamp(rint(x * inverseScale) + zeroPoint, low, high)`.
  public record StaticCodes(float inverseScale, long zeroPoint, long low, long high) {}

  /// One operand of attention: where sample b, head h, row i begins, in floats.
  public record Heads(MemorySegment at, long batchStride, long headStride, long rowStride) {}

  /// Sizes of `struct strata_attention`.
  public record AttentionShape(
      long batch, long heads, long queries, long keys, long depth, long valueDepth) {}

  /// `struct strata_attention`.
  ///
  /// @param divides whether scores are divided by `scale`, else multiplied
  /// @param mask floats added to the scores, or [MemorySegment#NULL]
  /// @param maskStrides for sample, head, query and key; 0 repeats
  public static void attention(
      MemorySegment at,
      AttentionShape shape,
      Heads q,
      Heads k,
      Heads v,
      boolean divides,
      float scale,
      MemorySegment mask,
      long[] maskStrides,
      Heads out) {
    Fields fields =
        new Fields(at.asSlice(0, attentionBytes()))
            .put(shape.batch())
            .put(shape.heads())
            .put(shape.queries())
            .put(shape.keys())
            .put(shape.depth())
            .put(shape.valueDepth())
            .put(q.at())
            .put(k.at())
            .put(v.at());
    for (Heads operand : List.of(q, k, v)) {
      fields.put(operand.batchStride()).put(operand.headStride()).put(operand.rowStride());
    }
    fields.put(divides ? 1L : 0L).put((double) scale).put(mask);
    for (int axis = 0; axis < 4; axis++) {
      fields.put(maskStrides[axis]);
    }
    fields.put(out.at()).put(out.batchStride()).put(out.headStride()).put(out.rowStride());
  }

  private static void require(String field, long value, boolean holds, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "%s: got %d, expected %s".formatted(field, value, expected));
    }
  }

  private static void requireBytes(String field, MemorySegment segment, long bytes) {
    require(field + " bytes", segment.byteSize(), segment.byteSize() >= bytes, "at least " + bytes);
  }

  /// Puts the fields of one struct, in their order.
  private static final class Fields {
    private final MemorySegment struct;
    private long next;

    Fields(MemorySegment struct) {
      this.struct = struct;
    }

    Fields put(MemorySegment pointer) {
      struct.set(ADDRESS, advance(), pointer);
      return this;
    }

    Fields put(long value) {
      struct.set(JAVA_LONG, advance(), value);
      return this;
    }

    Fields put(double value) {
      struct.set(JAVA_DOUBLE, advance(), value);
      return this;
    }

    private long advance() {
      long at = next;
      next += FIELD;
      return at;
    }
  }
}
