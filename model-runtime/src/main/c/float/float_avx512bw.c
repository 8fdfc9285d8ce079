#include <immintrin.h>
#include <string.h>

#include "activation.h"
#include "float.h"
#include "nest.h"

typedef __m512 vec;
enum { LANES = 16, TILE_ROWS = 8, TILE_VECTORS = 2 };

static inline vec vec_zero(void) { return _mm512_setzero_ps(); }
static inline vec vec_load(const float *x) { return _mm512_loadu_ps(x); }
// The first `count` values and zeros; reads no others.
static inline vec vec_load_first(const float *x, int64_t count) {
  return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
}
static inline void vec_store(float *x, vec v) { _mm512_storeu_ps(x, v); }
static inline vec vec_broadcast(float x) { return _mm512_set1_ps(x); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_larger(vec a, vec b) {
  vec most = _mm512_max_ps(b, a);  // a where one is NaN
  return _mm512_mask_mov_ps(most, _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), b);
}
// Lanes by halves: 8, 4, 2 and 1 apart.
static inline __m512 halves(__m512 v, int step) {
  switch (step) {
    case 0: return _mm512_shuffle_f32x4(v, v, 0xee);
    case 1: return _mm512_shuffle_f32x4(v, v, 0x55);
    case 2: return _mm512_permute_ps(v, 0xee);
    default: return _mm512_permute_ps(v, 0x55);
  }
}
static inline float vec_halves_sum(vec v) {
#pragma GCC unroll 4
  for (int step = 0; step < 4; step++) v = vec_add(v, halves(v, step));
  return _mm512_cvtss_f32(v);
}
static inline float vec_halves_larger(vec v) {
#pragma GCC unroll 4
  for (int step = 0; step < 4; step++) v = vec_larger(v, halves(v, step));
  return _mm512_cvtss_f32(v);
}

// y[i][j] = x[j][i] for 16 x 16: pairs and quads change places within 128 bits, then the quarters.
static inline void turn(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
  __m512 row[16], pair[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) row[i] = _mm512_loadu_ps(x + i * x_stride);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pair[i] = _mm512_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm512_unpackhi_ps(row[i], row[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    row[i] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0x44);
    row[i + 1] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0xee);
    row[i + 2] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    row[i + 3] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
  // row[4q + c] now holds columns c, c + 4, c + 8, c + 12 of rows 4q .. 4q + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    __m512 even01 = _mm512_shuffle_f32x4(row[c], row[c + 4], 0x88);
    __m512 odd01 = _mm512_shuffle_f32x4(row[c], row[c + 4], 0xdd);
    __m512 even23 = _mm512_shuffle_f32x4(row[c + 8], row[c + 12], 0x88);
    __m512 odd23 = _mm512_shuffle_f32x4(row[c + 8], row[c + 12], 0xdd);
    _mm512_storeu_ps(y + c * y_stride, _mm512_shuffle_f32x4(even01, even23, 0x88));
    _mm512_storeu_ps(y + (c + 4) * y_stride, _mm512_shuffle_f32x4(odd01, odd23, 0x88));
    _mm512_storeu_ps(y + (c + 8) * y_stride, _mm512_shuffle_f32x4(even01, even23, 0xdd));
    _mm512_storeu_ps(y + (c + 12) * y_stride, _mm512_shuffle_f32x4(odd01, odd23, 0xdd));
  }
}

#include "bodies.inc"

const struct strata_float_kernels strata_float__avx512bw = STRATA_FLOAT_TABLE;
