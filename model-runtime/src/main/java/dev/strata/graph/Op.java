package dev.strata.graph;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/// The operators of a model. Images are NHWC here: the importer turns ONNX's NCHW around. Tensors
/// are row-major. Negative axes count from the end. "Static" inputs are values that depend on
/// constants
/// and input *shapes* only; they are evaluated when a plan is bound to shapes, never while it runs.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "op")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Op.Linear.class, name = "linear"),
  @JsonSubTypes.Type(value = Op.Conv.class, name = "conv"),
  @JsonSubTypes.Type(value = Op.Embedding.class, name = "embedding"),
  @JsonSubTypes.Type(value = Op.MatMul.class, name = "matmul"),
  @JsonSubTypes.Type(value = Op.Unary.class, name = "unary"),
  @JsonSubTypes.Type(value = Op.Binary.class, name = "binary"),
  @JsonSubTypes.Type(value = Op.Where.class, name = "where"),
  @JsonSubTypes.Type(value = Op.Softmax.class, name = "softmax"),
  @JsonSubTypes.Type(value = Op.LayerNorm.class, name = "layer_norm"),
  @JsonSubTypes.Type(value = Op.Reduce.class, name = "reduce"),
  @JsonSubTypes.Type(value = Op.Pool.class, name = "pool"),
  @JsonSubTypes.Type(value = Op.Concat.class, name = "concat"),
  @JsonSubTypes.Type(value = Op.Slice.class, name = "slice"),
  @JsonSubTypes.Type(value = Op.Split.class, name = "split"),
  @JsonSubTypes.Type(value = Op.Gather.class, name = "gather"),
  @JsonSubTypes.Type(value = Op.Reshape.class, name = "reshape"),
  @JsonSubTypes.Type(value = Op.Flatten.class, name = "flatten"),
  @JsonSubTypes.Type(value = Op.Transpose.class, name = "transpose"),
  @JsonSubTypes.Type(value = Op.Squeeze.class, name = "squeeze"),
  @JsonSubTypes.Type(value = Op.Unsqueeze.class, name = "unsqueeze"),
  @JsonSubTypes.Type(value = Op.Pad.class, name = "pad"),
  @JsonSubTypes.Type(value = Op.Resize.class, name = "resize"),
  @JsonSubTypes.Type(value = Op.Expand.class, name = "expand"),
  @JsonSubTypes.Type(value = Op.Cast.class, name = "cast"),
  @JsonSubTypes.Type(value = Op.ShapeOf.class, name = "shape_of"),
  @JsonSubTypes.Type(value = Op.ConstantOfShape.class, name = "constant_of_shape"),
  @JsonSubTypes.Type(value = Op.Range.class, name = "range")
})
public sealed interface Op {

  /// `y = activation(x W^T + bias [+ residual])` over the last axis of x. Inputs: x `[...,
  /// columns]` and optionally residual `[..., rows]`.
  record Linear(String layer, Activation activation) implements Op {}

  /// 2-D convolution, NHWC: x `[N, H, W, Cin]` to `[N, H', W', Cout]`; 1-D convolutions come with
  /// H = 1. Depthwise when the layer's kind says so. Inputs: x and optionally residual (added
  /// before the activation).
  record Conv(String layer, Window window, int groups, Activation activation) implements Op {}

  /// Rows of a table: ids (INT64, any shape) to `[..., columns]`.
  record Embedding(String layer) implements Op {}

  /// Batched matrix product of two activations with broadcast batch dimensions.
  record MatMul() implements Op {}

  record Unary(Activation function) implements Op {}

  /// Elementwise with broadcasting. PRELU: `a < 0 ? a * b : a`.
  record Binary(Function kind) implements Op {
    /// The ordinal is the code that the native kernels take (`enum strata_binary` in strata.h).
    public enum Function {
      ADD,
      SUB,
      MUL,
      DIV,
      POW,
      MIN,
      MAX,
      PRELU,
      /// static INT64 values only
      MOD,
      /// static INT64 values only; 1 or 0
      EQUAL
    }
  }

  /// condition ? a : b, with broadcasting. The condition is static or an INT64/FP32 tensor,
  /// non-zero is true.
  record Where() implements Op {}

  record Softmax(int axis) implements Op {}

  /// Over the last axis. Inputs: x, scale `[C]`, bias `[C]`.
  record LayerNorm(float epsilon) implements Op {}

  /// PROD is for static values.
  record Reduce(Reduction kind, List<Integer> axes, boolean keepDims) implements Op {
    public enum Reduction {
      MEAN,
      SUM,
      MAX,
      PROD
    }
  }

  /// NHWC. AVERAGE with countPadding counts the explicit padding as zeros in the divisor.
  record Pool(Pooling kind, Window window, boolean ceilMode, boolean countPadding) implements Op {
    public enum Pooling {
      MAX,
      AVERAGE
    }
  }

  record Concat(int axis) implements Op {}

  /// Inputs: x, starts, ends, axes, steps (all four static INT64).
  record Slice() implements Op {}

  /// Equal parts when `sizes` is empty.
  record Split(int axis, List<Long> sizes) implements Op {}

  /// Indices may be static or an INT64 tensor.
  record Gather(int axis) implements Op {}

  /// Inputs: x, shape (static INT64; 0 copies, -1 is inferred; 0 means 0 if `allowZero`).
  record Reshape(boolean allowZero) implements Op {}

  record Flatten(int axis) implements Op {}

  record Transpose(List<Integer> permutation) implements Op {}

  /// All axes of size 1 when `axes` is empty.
  record Squeeze(List<Integer> axes) implements Op {}

  record Unsqueeze(List<Integer> axes) implements Op {}

  /// Inputs: x, pads (static INT64, `[begin..., end...]`).
  record Pad(Filling mode, float value) implements Op {
    public enum Filling {
      CONSTANT,
      REFLECT,
      EDGE
    }
  }

  /// NHWC, H and W only. Inputs: x, sizes (static INT64 `[H', W']`) when `scales` is empty, else
  /// the two factors are in `scales` and output size is `floor(size * scale)`.
  record Resize(Interpolation mode, Coordinates coordinates, Rounding rounding, List<Float> scales)
      implements Op {
    public enum Interpolation {
      NEAREST,
      LINEAR
    }

    /// ONNX's coordinate_transformation_mode.
    public enum Coordinates {
      HALF_PIXEL,
      PYTORCH_HALF_PIXEL,
      ALIGN_CORNERS,
      ASYMMETRIC
    }

    /// ONNX's nearest_mode.
    public enum Rounding {
      ROUND_PREFER_FLOOR,
      ROUND_PREFER_CEIL,
      FLOOR,
      CEIL
    }
  }

  /// Inputs: x, shape (static INT64), two-way broadcast as in ONNX.
  record Expand() implements Op {}

  /// To FP32 or INT64 (BOOL counts as INT64 0/1).
  record Cast(DataType to) implements Op {}

  /// INT64 shape of the input; static.
  record ShapeOf() implements Op {}

  /// Input: shape (static).
  record ConstantOfShape(DataType type, double value) implements Op {}

  /// Inputs: start, limit, delta (static INT64 or FP32).
  record Range() implements Op {}

  /// A sliding window over H and W.
  ///
  /// @param padTop zeros (or nothing, for pooling) before the first row; and so on
  record Window(
      int kernelHeight,
      int kernelWidth,
      int strideHeight,
      int strideWidth,
      int dilationHeight,
      int dilationWidth,
      int padTop,
      int padLeft,
      int padBottom,
      int padRight) {

    public long outputHeight(long height, boolean ceil) {
      return extent(height, padTop + padBottom, kernelHeight, strideHeight, dilationHeight, ceil);
    }

    public long outputWidth(long width, boolean ceil) {
      return extent(width, padLeft + padRight, kernelWidth, strideWidth, dilationWidth, ceil);
    }

    private static long extent(
        long size, long pad, long kernel, long stride, long dilation, boolean ceil) {
      long span = size + pad - (dilation * (kernel - 1) + 1);
      return (ceil ? Math.ceilDiv(span, stride) : Math.floorDiv(span, stride)) + 1;
    }
  }
}
