package dev.strata.graph;

/// An elementwise function with up to two parameters; fused into a layer's epilogue or an operator
/// of its own ([Op.Unary]). Formulas are ONNX's.
///
/// @param alpha see the kind; 0 where unused
/// @param beta see the kind; 0 where unused
public record Activation(Kind kind, float alpha, float beta) {
  /// The ordinal is the code that the native kernels take (`enum strata_activation` in strata.h).
  public enum Kind {
    IDENTITY,
    RELU,
    /// min(max(x, alpha), beta)
    CLIP,
    /// x < 0 ? alpha * x : x
    LEAKY_RELU,
    /// min(max(alpha * x + beta, 0), 1)
    HARD_SIGMOID,
    /// x * min(max(x / 6 + 0.5, 0), 1)
    HARD_SWISH,
    SIGMOID,
    TANH,
    ERF,
    /// x / 2 * (1 + erf(x / sqrt 2))
    GELU,
    /// tanh approximation of GELU
    GELU_TANH,
    SQRT,
    EXP,
    LOG,
    ABS,
    NEG,
    RECIPROCAL
  }

  public static final Activation IDENTITY = new Activation(Kind.IDENTITY, 0, 0);
  public static final Activation RELU = of(Kind.RELU);

  public static Activation of(Kind kind) {
    return new Activation(kind, 0, 0);
  }
}
