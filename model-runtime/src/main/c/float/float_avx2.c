#include <immintrin.h>
#include <string.h>

#include "activation.h"
#include "float.h"
#include "nest.h"

typedef __m256 vec;
enum { LANES = 8, TILE_ROWS = 6, TILE_VECTORS = 2 };

static inline vec vec_zero(void) { return _mm256_setzero_ps(); }
static inline vec vec_load(const float *x) { return _mm256_loadu_ps(x); }
// The first `count` values and zeros; reads no others.
static inline vec vec_load_first(const float *x, int64_t count) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane));
}
static inline void vec_store(float *x, vec v) { _mm256_storeu_ps(x, v); }
static inline vec vec_broadcast(float x) { return _mm256_set1_ps(x); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
static inline vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
static inline vec vec_larger(vec a, vec b) {
  vec most = _mm256_max_ps(b, a);  // a where one is NaN
  return _mm256_blendv_ps(most, b, _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
}
// The lanes of one vector by halves; not used, since a row's sixteen lanes are two vectors here.
static inline float vec_halves_sum(vec v) { return v[0]; }
static inline float vec_halves_larger(vec v) { return v[0]; }

// y[i][j] = x[j][i] for 8 x 8: pairs, then quads, then halves change places.
static inline void turn(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
  __m256 row[8], pair[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(x + i * x_stride);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    row[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    row[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    row[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    row[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(y + i * y_stride, _mm256_permute2f128_ps(row[i], row[i + 4], 0x20));
    _mm256_storeu_ps(y + (i + 4) * y_stride, _mm256_permute2f128_ps(row[i], row[i + 4], 0x31));
  }
}

#include "bodies.inc"

const struct strata_float_kernels strata_float__avx2 = STRATA_FLOAT_TABLE;
