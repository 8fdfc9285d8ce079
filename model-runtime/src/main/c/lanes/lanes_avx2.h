// The registers of AVX2: 8 weight rows at a time, a panel in 2 parts. Only what the bodies need
// that AVX2 runs; the layered products have loops of their own there.
#ifndef STRATA_LANES_AVX2_H
#define STRATA_LANES_AVX2_H

#include <immintrin.h>

#include "strata.h"
#include "unpack_avx2.h"

#define LANES_TILE_ROWS 4

enum {
  LANES = 8,
  PARTS = STRATA_PANEL_ROWS / LANES,
  TILE_ROWS = LANES_TILE_ROWS,
  TILE_PANELS = 1,
  EXACT_DOT = 0,
  OPERAND_BIAS = 0,
};

typedef __m256i lanes_bytes;
typedef __m256i lanes_int;
typedef __m256 lanes_float;

STRATA_INLINE lanes_bytes lanes_load_bytes(const void *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}
STRATA_INLINE void lanes_store_bytes(void *at, lanes_bytes v) {
  _mm256_storeu_si256((__m256i *)at, v);
}
STRATA_INLINE lanes_bytes lanes_quad(const void *four_bytes) {
  return strata_broadcast4(four_bytes);
}

STRATA_INLINE lanes_int lanes_set(int32_t value) { return _mm256_set1_epi32(value); }
STRATA_INLINE lanes_int lanes_load(const int32_t *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}
STRATA_INLINE void lanes_store(int32_t *at, lanes_int v) { _mm256_storeu_si256((__m256i *)at, v); }
STRATA_INLINE lanes_int lanes_add(lanes_int a, lanes_int b) { return _mm256_add_epi32(a, b); }
STRATA_INLINE lanes_int lanes_sub(lanes_int a, lanes_int b) { return _mm256_sub_epi32(a, b); }
STRATA_INLINE lanes_int lanes_left(lanes_int a, int bits) {
  return _mm256_sll_epi32(a, _mm_cvtsi32_si128(bits));
}

STRATA_INLINE lanes_float lanes_floats(lanes_int a) { return _mm256_cvtepi32_ps(a); }
STRATA_INLINE lanes_float lanes_set_float(float value) { return _mm256_set1_ps(value); }
STRATA_INLINE lanes_float lanes_load_float(const float *at) { return _mm256_loadu_ps(at); }
STRATA_INLINE void lanes_store_float(float *at, lanes_float v) { _mm256_storeu_ps(at, v); }
STRATA_INLINE lanes_float lanes_mul_float(lanes_float a, lanes_float b) {
  return _mm256_mul_ps(a, b);
}
STRATA_INLINE lanes_float lanes_fma(lanes_float a, lanes_float b, lanes_float c) {
  return _mm256_fmadd_ps(a, b, c);
}

// As in lanes_avx512.h.
STRATA_INLINE lanes_int lanes_dot(lanes_int acc, lanes_bytes operand, lanes_bytes q, int wide) {
  __m256i ones = _mm256_set1_epi16(1);
  if (!wide) {
    __m256i products = _mm256_madd_epi16(_mm256_maddubs_epi16(operand, q), ones);
    return _mm256_add_epi32(acc, products);
  }
  __m256i upper = _mm256_and_si256(_mm256_srli_epi16(operand, 1), _mm256_set1_epi8(0x7f));
  __m256i last = _mm256_and_si256(operand, _mm256_set1_epi8(1));
  __m256i doubled = _mm256_madd_epi16(_mm256_maddubs_epi16(upper, q), _mm256_set1_epi16(2));
  __m256i single = _mm256_madd_epi16(_mm256_maddubs_epi16(last, q), ones);
  return _mm256_add_epi32(acc, _mm256_add_epi32(doubled, single));
}

STRATA_INLINE void lanes_codes(const uint8_t *const *planes, int64_t at, int bits,
                               lanes_bytes codes[8]) {
  strata_unpack(planes, at, bits, codes);
}

struct lanes_table {
  __m256i entries[16];
};

STRATA_INLINE struct lanes_table lanes_table(const uint8_t entries[256]) {
  struct lanes_table table;
  for (int i = 0; i < 16; i++) {
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(entries + 16 * i));
    table.entries[i] = _mm256_broadcastsi128_si256(sixteen);
  }
  return table;
}

// As in lanes_avx512.h without VBMI.
STRATA_INLINE lanes_bytes lanes_lookup(lanes_bytes codes, int bits,
                                       const struct lanes_table *table) {
  int mask = bits < 4 ? 15 : (1 << bits) - 1;
  __m256i index = bits < 8 ? _mm256_srli_epi16(codes, 8 - bits) : codes;
  index = _mm256_and_si256(index, _mm256_set1_epi8((char)mask));
  if (bits <= 4) {
    return _mm256_shuffle_epi8(table->entries[0], index);
  }
  __m256i found = _mm256_setzero_si256();
  for (int i = 0; i < 1 << (bits - 4); i++) {
    __m256i here = _mm256_xor_si256(index, _mm256_set1_epi8((char)(16 * i)));
    here = _mm256_adds_epu8(here, _mm256_set1_epi8(0x70));
    found = _mm256_or_si256(found, _mm256_shuffle_epi8(table->entries[i], here));
  }
  return found;
}

// As in lanes_avx512.h, 4 of 8 rows a register.
enum { SAD_COLUMNS = 8, SAD_ROWS = 2 };

STRATA_INLINE void lanes_sad_operands(const lanes_bytes codes[8], uint8_t middle, uint8_t *out,
                                      int64_t step_bytes) {
  __m256i within = _mm256_set1_epi8((char)middle);
  for (int i = 0; i < 8; i += 2) {
    __m256i first = _mm256_or_si256(codes[i], within);
    __m256i second = _mm256_or_si256(codes[i + 1], within);
    lanes_store_bytes(out + i / 2 * step_bytes, _mm256_unpacklo_epi32(first, second));
    lanes_store_bytes(out + i / 2 * step_bytes + 32, _mm256_unpackhi_epi32(first, second));
  }
}

STRATA_INLINE lanes_bytes lanes_sad_activations(const int8_t *q) {
  int64_t word;
  __builtin_memcpy(&word, q, sizeof word);
  return _mm256_xor_si256(_mm256_set1_epi64x(word), _mm256_set1_epi8((char)0x80));
}

STRATA_INLINE lanes_int lanes_sad(lanes_int acc, lanes_bytes operand, lanes_bytes q) {
  return _mm256_add_epi64(acc, _mm256_sad_epu8(operand, q));
}

STRATA_INLINE lanes_int lanes_sad_total(const lanes_int halves[2]) {
  __m256 lower = _mm256_castsi256_ps(halves[0]), upper = _mm256_castsi256_ps(halves[1]);
  return _mm256_castps_si256(_mm256_shuffle_ps(lower, upper, 0x88));
}

STRATA_INLINE lanes_float lanes_scale_codes(const uint8_t *group, int part) {
  return strata_scale_codes(group, part);
}

STRATA_INLINE lanes_float lanes_offset_codes(const uint8_t *group, int part) {
  return strata_offset_codes(group, part);
}

STRATA_INLINE void lanes_store_rows(const struct strata_epilogue *e, int64_t rows, int64_t m,
                                    int64_t c, lanes_float t) {
  strata_write8(e, rows, m, c, t);
}

#endif
