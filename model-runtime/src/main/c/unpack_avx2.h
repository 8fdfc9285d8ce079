// Planes to codes, 8 rows x 32 columns at a time, for files built with AVX2.
#ifndef STRATA_UNPACK_AVX2_H
#define STRATA_UNPACK_AVX2_H

#include <immintrin.h>

#include "strata.h"

#define STRATA_INLINE static inline __attribute__((always_inline))

// As in unpack_avx512.h: fields of `shift` bits of x and y become fields of twice the width, those
// of x being worth more. Bits change places where both words differ: two operations less than
// choosing each half by masks.
STRATA_INLINE void strata_merge(__m256i x, __m256i y, int shift, uint8_t upper, __m256i *low,
                                __m256i *high) {
  __m256i apart = _mm256_xor_si256(_mm256_srli_epi16(y, shift), x);
  __m256i differ = _mm256_andnot_si256(_mm256_set1_epi8((char)upper), apart);
  *high = _mm256_xor_si256(x, differ);
  *low = _mm256_xor_si256(y, _mm256_slli_epi16(differ, shift));
}

// Fields of four bits: `before` zeros, then `count` planes, then zeros.
STRATA_INLINE void strata_nibbles(const uint8_t *const *planes, int64_t line, int64_t before,
                                  int64_t count, __m256i nibble[4]) {
  __m256i p[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    int is_there = i >= before && i < before + count;
    p[i] = is_there ? _mm256_loadu_si256((const __m256i *)(planes[i - before] + line))
                    : _mm256_setzero_si256();
  }
  __m256i even, odd, even2, odd2;
  strata_merge(p[0], p[1], 1, 0xaa, &even, &odd);
  strata_merge(p[2], p[3], 1, 0xaa, &even2, &odd2);
  strata_merge(even, even2, 2, 0xcc, &nibble[0], &nibble[2]);
  strata_merge(odd, odd2, 2, 0xcc, &nibble[1], &nibble[3]);
}

// codes[i] holds columns 4i..4i+3 of the 8 rows whose words begin at byte `line` of each plane.
STRATA_INLINE void strata_unpack(const uint8_t *const *planes, int64_t line, int64_t bits,
                                 __m256i codes[8]) {
  __m256i upper[4], lower[4];
  strata_nibbles(planes, line, 0, bits, upper);
  if (bits > 4) {
    strata_nibbles(planes + 4, line, 0, bits - 4, lower);
  }
  for (int i = 0; i < 4; i++) {
    strata_merge(upper[i], bits > 4 ? lower[i] : _mm256_setzero_si256(), 4, 0xf0, &codes[i],
                 &codes[i + 4]);
  }
}

STRATA_INLINE __m256i strata_broadcast4(const void *four_bytes) {
  int32_t word;
  __builtin_memcpy(&word, four_bytes, sizeof word);
  return _mm256_set1_epi32(word);
}

// 8 codes of a group table as floats; `half` 1 is the upper 8 rows of the panel.
STRATA_INLINE __m256 strata_scale_codes(const uint8_t *group, int half) {
  const __m128i *at = (const __m128i *)(group + 8 * half);
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(at)));
}

STRATA_INLINE __m256 strata_offset_codes(const uint8_t *group, int half) {
  const __m128i *at = (const __m128i *)(group + 16 + 8 * half);
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at)));
}

STRATA_INLINE __m256i strata_first_lanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Eight floats of which `left` exist; others are not touched. A masked store takes AMD's processors
// twenty times as long as a whole one.
STRATA_INLINE __m256 strata_load8(const float *at, int64_t left) {
  return left >= 8 ? _mm256_loadu_ps(at) : _mm256_maskload_ps(at, strata_first_lanes(left));
}

STRATA_INLINE void strata_store8(float *at, int64_t left, __m256 values) {
  if (left >= 8) {
    _mm256_storeu_ps(at, values);
  } else {
    _mm256_maskstore_ps(at, strata_first_lanes(left), values);
  }
}

// The epilogue of rows [c, c + 8) of `rows` for activation row m, up to the activation. The bias
// is padded.
STRATA_INLINE void strata_write8(const struct strata_epilogue *e, int64_t rows, int64_t m,
                                 int64_t c, __m256 t) {
  __m256 y = _mm256_add_ps(t, _mm256_loadu_ps(e->bias + c));
  int64_t left = rows - c;
  if (left <= 0) {
    return;
  }
  if (e->residual) {
    y = _mm256_add_ps(y, strata_load8(e->residual + m * e->residual_stride + c, left));
  }
  strata_store8(e->out + m * e->out_stride + c, left, y);
}

// The same from the sums over groups; the tables are padded.
STRATA_INLINE void strata_finish8(const struct strata_weights *w, const struct strata_epilogue *e,
                                  int64_t m, int64_t c, __m256 a1, __m256 a2) {
  __m256 t = _mm256_fmadd_ps(_mm256_loadu_ps(w->scale + c), a1,
                             _mm256_mul_ps(_mm256_loadu_ps(w->offset + c), a2));
  strata_write8(e, w->rows, m, c, t);
}

#endif
