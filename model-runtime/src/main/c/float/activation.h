// Elementwise functions in single precision, without tables, branches or calls.
//
// Every function is one fixed sequence of IEEE operations and explicit fused multiply-adds, so a
// value gives the same bits on every instruction set, in a vector or in the tail of a loop. Loops
// over them vectorise when compiled with these flags, which change no result:
//   -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math
//
// Where the formulas come from: exp and log reduce the range as Cody and Waite do and end in a
// polynomial; erf and tanh are an odd polynomial near zero and come from exp beyond it. The
// coefficients are minimax fits (Lawson's reweighted least squares) made for this file; the error
// of the fit is at each one.
#ifndef STRATA_FLOAT_ACTIVATION_H
#define STRATA_FLOAT_ACTIVATION_H

#include <stdint.h>

#include "../strata.h"

#define STRATA_INLINE static inline __attribute__((always_inline))

STRATA_INLINE uint32_t strata_float_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

STRATA_INLINE float strata_bits_float(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

STRATA_INLINE uint64_t strata_double_bits(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

STRATA_INLINE double strata_bits_double(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// NaN stays NaN; the bound wins only when x is truly beyond it.
STRATA_INLINE float strata_at_least(float x, float low) { return x < low ? low : x; }
STRATA_INLINE float strata_at_most(float x, float high) { return x > high ? high : x; }

// Choices as masks, since both sides are computed anyway: loops over them have no branches.
STRATA_INLINE float strata_select(int condition, float yes, float no) {
  uint32_t mask = -(uint32_t)condition;
  return strata_bits_float((strata_float_bits(yes) & mask) | (strata_float_bits(no) & ~mask));
}

STRATA_INLINE double strata_select_double(int condition, double yes, double no) {
  uint64_t mask = -(uint64_t)condition;
  return strata_bits_double((strata_double_bits(yes) & mask) | (strata_double_bits(no) & ~mask));
}

STRATA_INLINE float strata_with_sign(float magnitude, float sign) {
  return strata_bits_float((strata_float_bits(magnitude) & 0x7fffffffu) |
                           (strata_float_bits(sign) & 0x80000000u));
}

// e^x = 2^n e^r with n = rint(x / ln 2). Fit of e^r: 3e-9. Overflows to infinity and rounds through
// the denormals to zero.
STRATA_INLINE float strata_exp(float x) {
  const float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves the integer in the low bits
  x = strata_at_most(strata_at_least(x, -104.0f), 89.0f);
  float shifted = __builtin_fmaf(x, 1.44269504f, round);
  float n = shifted - round;
  float r = __builtin_fmaf(n, -0.693147182f, x);
  r = __builtin_fmaf(n, 1.90465421e-9f, r);
  float p = 1.38144649e-3f;
  p = __builtin_fmaf(p, r, 8.36878084e-3f);
  p = __builtin_fmaf(p, r, 4.16683927e-2f);
  p = __builtin_fmaf(p, r, 1.66665196e-1f);
  p = __builtin_fmaf(p, r, 4.99999940e-1f);
  p = __builtin_fmaf(p, r, 1.0f);
  p = __builtin_fmaf(p, r, 1.0f);
  // 2^n in two factors: n runs from -150 to 128, beyond the range of one normal number.
  uint32_t power = strata_float_bits(shifted) - strata_float_bits(round) + 254;
  uint32_t half = power >> 1;
  return p * strata_bits_float(half << 23) * strata_bits_float((power - half) << 23);
}

// ln x = e ln 2 + ln(1 + f) with 1 + f in [sqrt 1/2, sqrt 2]. Fit of ln(1 + f): 6e-9.
STRATA_INLINE float strata_log(float x) {
  float normal = x < 1.17549435e-38f ? x * 8388608.0f : x;
  float shift = x < 1.17549435e-38f ? -150.0f : -127.0f;
  uint32_t bits = strata_float_bits(normal) + (0x3f800000u - 0x3f3504f3u);
  float e = (float)(int32_t)(bits >> 23) + shift;
  float f = strata_bits_float((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = -7.63442963e-2f;
  p = __builtin_fmaf(p, f, 1.27615496e-1f);
  p = __builtin_fmaf(p, f, -1.31601945e-1f);
  p = __builtin_fmaf(p, f, 1.42017618e-1f);
  p = __builtin_fmaf(p, f, -1.66233569e-1f);
  p = __builtin_fmaf(p, f, 2.00012267e-1f);
  p = __builtin_fmaf(p, f, -2.50008225e-1f);
  p = __builtin_fmaf(p, f, 3.33333313e-1f);
  float square = f * f;
  float rest = __builtin_fmaf(p * f, square, e * -1.90465421e-9f);
  rest = __builtin_fmaf(-0.5f, square, rest);
  float y = __builtin_fmaf(e, 0.693147182f, f + rest);
  y = x < __builtin_inff() ? y : x;  // infinity and NaN answer themselves
  y = x == 0.0f ? -__builtin_inff() : y;
  return x < 0.0f ? __builtin_nanf("") : y;
}

// erfc a = e^(-a P(a)) for a >= 0; zero from 10 on. Fit: 4.4e-8 absolute.
STRATA_INLINE float strata_erfc_positive(float a) {
  float c = strata_at_most(a, 10.0f);
  float p = -7.36454542e-9f;
  p = __builtin_fmaf(p, c, 3.32507796e-7f);
  p = __builtin_fmaf(p, c, -6.25131321e-6f);
  p = __builtin_fmaf(p, c, 6.29969800e-5f);
  p = __builtin_fmaf(p, c, -3.58330901e-4f);
  p = __builtin_fmaf(p, c, 9.96011309e-4f);
  p = __builtin_fmaf(p, c, 7.32845569e-4f);
  p = __builtin_fmaf(p, c, -1.98091473e-2f);
  p = __builtin_fmaf(p, c, 1.03030823e-1f);
  p = __builtin_fmaf(p, c, 6.36574626e-1f);
  p = __builtin_fmaf(p, c, 1.12838173f);
  float y = strata_exp(-c * p);
  return strata_select(a >= 10.0f, 0.0f, y);
}

// An odd polynomial up to 1/2 (fit: 1.4e-9 relative), 1 - erfc beyond.
STRATA_INLINE float strata_erf(float x) {
  float a = __builtin_fabsf(x), u = x * x;
  float p = 4.71803406e-3f;
  p = __builtin_fmaf(p, u, -2.67572086e-2f);
  p = __builtin_fmaf(p, u, 1.12828232e-1f);
  p = __builtin_fmaf(p, u, -3.76126081e-1f);
  p = __builtin_fmaf(p, u, 1.12837911f);
  return strata_with_sign(strata_select(a < 0.5f, p * a, 1.0f - strata_erfc_positive(a)), x);
}

// An odd polynomial up to 5/8 (fit: 4.4e-9 relative), 1 - 2 / (e^2|x| + 1) beyond.
STRATA_INLINE float strata_tanh(float x) {
  float a = __builtin_fabsf(x), u = x * x;
  float p = -5.70499059e-3f;
  p = __builtin_fmaf(p, u, 2.06390899e-2f);
  p = __builtin_fmaf(p, u, -5.37397154e-2f);
  p = __builtin_fmaf(p, u, 1.33314416e-1f);
  p = __builtin_fmaf(p, u, -3.33332807e-1f);
  float small = __builtin_fmaf(p * u, a, a);
  float large = 1.0f - 2.0f / (strata_exp(2.0f * a) + 1.0f);
  return strata_with_sign(strata_select(a < 0.625f, small, large), x);
}

STRATA_INLINE float strata_sigmoid(float x) { return 1.0f / (1.0f + strata_exp(-x)); }

// x Phi(x), from erfc so that the tail of negative x keeps its digits. The lower clamp keeps
// -infinity from meeting the zero of erfc.
STRATA_INLINE float strata_gelu(float x) {
  float half = 0.5f * strata_at_least(x, -20.0f);
  float tail = strata_erfc_positive(__builtin_fabsf(x) * 0.707106781f);
  return half * strata_select(x < 0.0f, tail, 2.0f - tail);
}

// x/2 (1 + tanh z) = x / (1 + e^-2z) with z = sqrt(2/pi) (x + 0.044715 x^3)
STRATA_INLINE float strata_gelu_tanh(float x) {
  float c = strata_at_least(x, -20.0f);
  float cubic = __builtin_fmaf(0.044715f * c * c, c, c);
  return c / (1.0f + strata_exp(-1.59576912f * cubic));
}

// x^y through double precision: 2^(y log2 |x|), log2 by the series of atanh (1e-12) and 2^r by the
// series of exp (1e-11), so the float result is right but for ties. Special cases are C's.
STRATA_INLINE float strata_pow(float x, float y) {
  double base = __builtin_fabs((double)x), exponent = (double)y;
  uint64_t bits = strata_double_bits(base) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  double e = strata_bits_double((bits >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
  double m = strata_bits_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu);
  double s = (m - 1.0) / (m + 1.0), u = s * s;
  double p = 1.0 / 13.0;
  p = __builtin_fma(p, u, 1.0 / 11.0);
  p = __builtin_fma(p, u, 1.0 / 9.0);
  p = __builtin_fma(p, u, 1.0 / 7.0);
  p = __builtin_fma(p, u, 1.0 / 5.0);
  p = __builtin_fma(p, u, 1.0 / 3.0);
  p = __builtin_fma(p, u, 1.0);
  double log2 = __builtin_fma(2.8853900817779268 * s, p, e);
  log2 = strata_select_double(base == 0.0, -1e300, log2);
  log2 = strata_select_double(base > 3.5e38, 1e300, log2);

  double z = exponent * log2;
  z = z > 300.0 ? 300.0 : z;
  z = z < -300.0 ? -300.0 : z;
  const double round = 6755399441055744.0;  // 1.5 * 2^52
  double shifted = z + round;
  double r = (z - (shifted - round)) * 0.69314718055994531;
  double q = 1.0 / 362880.0;
  q = __builtin_fma(q, r, 1.0 / 40320.0);
  q = __builtin_fma(q, r, 1.0 / 5040.0);
  q = __builtin_fma(q, r, 1.0 / 720.0);
  q = __builtin_fma(q, r, 1.0 / 120.0);
  q = __builtin_fma(q, r, 1.0 / 24.0);
  q = __builtin_fma(q, r, 1.0 / 6.0);
  q = __builtin_fma(q, r, 0.5);
  q = __builtin_fma(q, r, 1.0);
  q = __builtin_fma(q, r, 1.0);
  uint64_t power = strata_double_bits(shifted) - strata_double_bits(round) + 1023;
  double result = q * strata_bits_double(power << 52);

  // A negative base has a sign for whole exponents, and a value only for those (or 0, infinity).
  const double huge = 4503599627370496.0;  // 2^52: adding it rounds to a whole number
  double size = __builtin_fabs(exponent), signed_base = (double)x;
  double count = size > huge ? huge : size, half = 0.5 * count;
  double whole = (count + huge) - huge - count, even = (half + huge) - huge - half;
  double whole_power = strata_select_double(even == 0.0, result, -result);
  double defined = strata_select_double(base == 0.0, result, __builtin_nan(""));
  defined = strata_select_double(base > 3.5e38, result, defined);
  whole_power = strata_select_double(whole == 0.0, whole_power, defined);
  result = strata_select_double(strata_double_bits(signed_base) >> 63, whole_power, result);
  result = strata_select_double(x != x, signed_base, result);
  result = strata_select_double(y != y, exponent, result);
  double unit = strata_select_double(size > 3.5e38, 1.0, result);
  result = strata_select_double(signed_base == -1.0, unit, result);
  result = strata_select_double(signed_base == 1.0, 1.0, result);
  return (float)strata_select_double(exponent == 0.0, 1.0, result);
}

// One value through enum strata_activation. With a constant `kind` only that case remains.
STRATA_INLINE float strata_activate(int64_t kind, float alpha, float beta, float x) {
  switch (kind) {
    case STRATA_RELU: return strata_at_least(x, 0.0f);
    case STRATA_CLIP: return strata_at_most(strata_at_least(x, alpha), beta);
    case STRATA_LEAKY_RELU: {
      float scaled = alpha * x;
      return x < 0.0f ? scaled : x;
    }
    case STRATA_HARD_SIGMOID:
      return strata_at_most(strata_at_least(__builtin_fmaf(alpha, x, beta), 0.0f), 1.0f);
    case STRATA_HARD_SWISH: {
      float gate = __builtin_fmaf(x, 1.0f / 6.0f, 0.5f);
      return strata_at_least(x, -4.0f) * strata_at_most(strata_at_least(gate, 0.0f), 1.0f);
    }
    case STRATA_SIGMOID: return strata_sigmoid(x);
    case STRATA_TANH: return strata_tanh(x);
    case STRATA_ERF: return strata_erf(x);
    case STRATA_GELU: return strata_gelu(x);
    case STRATA_GELU_TANH: return strata_gelu_tanh(x);
    case STRATA_SQRT: return __builtin_sqrtf(x);
    case STRATA_EXP: return strata_exp(x);
    case STRATA_LOG: return strata_log(x);
    case STRATA_ABS: return __builtin_fabsf(x);
    case STRATA_NEG: return -x;
    case STRATA_RECIPROCAL: return 1.0f / x;
    default: return x;
  }
}

// x[i] = activate(x[i]) in place, with the choice outside the loop.
static inline void strata_activate_row(int64_t kind, float alpha, float beta, float *x,
                                       int64_t count) {
#define STRATA_ROW(code)                                                                 \
  case code:                                                                             \
    for (int64_t i = 0; i < count; i++) x[i] = strata_activate(code, alpha, beta, x[i]); \
    break;
  switch (kind) {
    STRATA_ROW(STRATA_RELU)
    STRATA_ROW(STRATA_CLIP)
    STRATA_ROW(STRATA_LEAKY_RELU)
    STRATA_ROW(STRATA_HARD_SIGMOID)
    STRATA_ROW(STRATA_HARD_SWISH)
    STRATA_ROW(STRATA_SIGMOID)
    STRATA_ROW(STRATA_TANH)
    STRATA_ROW(STRATA_ERF)
    STRATA_ROW(STRATA_GELU)
    STRATA_ROW(STRATA_GELU_TANH)
    STRATA_ROW(STRATA_SQRT)
    STRATA_ROW(STRATA_EXP)
    STRATA_ROW(STRATA_LOG)
    STRATA_ROW(STRATA_ABS)
    STRATA_ROW(STRATA_NEG)
    STRATA_ROW(STRATA_RECIPROCAL)
    default: break;
  }
#undef STRATA_ROW
}

#endif
