// The registers of AVX-512: 16 weight rows, a whole panel. What VNNI, VBMI and VPOPCNTDQ give is
// used where the file is built for them, so this serves the levels avx512 and avx512bw.
#ifndef STRATA_LANES_AVX512_H
#define STRATA_LANES_AVX512_H

#include <immintrin.h>

#include "strata.h"
#include "unpack_avx512.h"

#define LANES_TILE_ROWS 12

enum {
  LANES = 16,
  PARTS = STRATA_PANEL_ROWS / LANES,
  TILE_ROWS = LANES_TILE_ROWS,
  TILE_PANELS = 2,
#if defined(__AVX512VNNI__)
  EXACT_DOT = 1,
#else
  EXACT_DOT = 0,
#endif
  OPERAND_BIAS = 0,
};

typedef __m512i lanes_bytes;
typedef __m512i lanes_int;
typedef __m512 lanes_float;

STRATA_INLINE lanes_bytes lanes_load_bytes(const void *at) { return _mm512_loadu_si512(at); }
STRATA_INLINE void lanes_store_bytes(void *at, lanes_bytes v) { _mm512_storeu_si512(at, v); }
STRATA_INLINE lanes_bytes lanes_quad(const void *four_bytes) {
  return strata_broadcast4(four_bytes);
}

STRATA_INLINE lanes_int lanes_set(int32_t value) { return _mm512_set1_epi32(value); }
STRATA_INLINE lanes_int lanes_load(const int32_t *at) { return _mm512_loadu_si512(at); }
STRATA_INLINE void lanes_store(int32_t *at, lanes_int v) { _mm512_storeu_si512(at, v); }
STRATA_INLINE lanes_int lanes_add(lanes_int a, lanes_int b) { return _mm512_add_epi32(a, b); }
STRATA_INLINE lanes_int lanes_sub(lanes_int a, lanes_int b) { return _mm512_sub_epi32(a, b); }
STRATA_INLINE lanes_int lanes_mul(lanes_int a, lanes_int b) { return _mm512_mullo_epi32(a, b); }
STRATA_INLINE lanes_int lanes_left(lanes_int a, int bits) {
  return _mm512_sll_epi32(a, _mm_cvtsi32_si128(bits));
}

STRATA_INLINE lanes_float lanes_floats(lanes_int a) { return _mm512_cvtepi32_ps(a); }
STRATA_INLINE lanes_float lanes_set_float(float value) { return _mm512_set1_ps(value); }
STRATA_INLINE lanes_float lanes_load_float(const float *at) { return _mm512_loadu_ps(at); }
STRATA_INLINE void lanes_store_float(float *at, lanes_float v) { _mm512_storeu_ps(at, v); }
STRATA_INLINE lanes_float lanes_mul_float(lanes_float a, lanes_float b) {
  return _mm512_mul_ps(a, b);
}
STRATA_INLINE lanes_float lanes_fma(lanes_float a, lanes_float b, lanes_float c) {
  return _mm512_fmadd_ps(a, b, c);
}

// vpmaddubsw adds two products into 16 bits, which holds for operands up to 127: one above is taken
// as 2 * (operand >> 1) and its last bit.
STRATA_INLINE lanes_int lanes_dot(lanes_int acc, lanes_bytes operand, lanes_bytes q, int wide) {
#if defined(__AVX512VNNI__)
  (void)wide;
  return strata_dot(acc, operand, q);
#else
  __m512i ones = _mm512_set1_epi16(1);
  if (!wide) {
    __m512i products = _mm512_madd_epi16(_mm512_maddubs_epi16(operand, q), ones);
    return _mm512_add_epi32(acc, products);
  }
  __m512i upper = _mm512_and_si512(_mm512_srli_epi16(operand, 1), _mm512_set1_epi8(0x7f));
  __m512i last = _mm512_and_si512(operand, _mm512_set1_epi8(1));
  __m512i doubled = _mm512_madd_epi16(_mm512_maddubs_epi16(upper, q), _mm512_set1_epi16(2));
  __m512i single = _mm512_madd_epi16(_mm512_maddubs_epi16(last, q), ones);
  return _mm512_add_epi32(acc, _mm512_add_epi32(doubled, single));
#endif
}

STRATA_INLINE lanes_int lanes_sum(lanes_int acc, lanes_bytes q) {
  return lanes_dot(acc, _mm512_set1_epi8(1), q, 0);
}

STRATA_INLINE lanes_int lanes_add_ones(lanes_int acc, lanes_bytes a, lanes_bytes b, int shift) {
  __m512i bits = _mm512_and_si512(a, b);
#if defined(__AVX512VPOPCNTDQ__)
  __m512i counts = _mm512_popcnt_epi32(bits);
#else
  const __m512i table =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  __m512i nibble = _mm512_set1_epi8(0x0f);
  __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(bits, nibble));
  __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(bits, 4), nibble));
  __m512i bytes = _mm512_add_epi8(low, high);
  __m512i counts =
      _mm512_madd_epi16(_mm512_maddubs_epi16(bytes, _mm512_set1_epi8(1)), _mm512_set1_epi16(1));
#endif
  return _mm512_add_epi32(acc, lanes_left(counts, shift));
}

STRATA_INLINE void lanes_codes(const uint8_t *const *planes, int64_t at, int bits,
                               lanes_bytes codes[8]) {
  strata_unpack(planes, at, bits, codes);
}

STRATA_INLINE lanes_bytes lanes_operand(lanes_bytes codes, int bits) {
  if (EXACT_DOT || bits == 8) {
    return codes;
  }
  return _mm512_and_si512(_mm512_srli_epi16(codes, 1), _mm512_set1_epi8(0x7f));
}

#if defined(__AVX512VBMI__)
struct lanes_table {
  __m512i entries[4];
};

STRATA_INLINE struct lanes_table lanes_table(const uint8_t entries[256]) {
  struct lanes_table table;
  for (int i = 0; i < 4; i++) {
    table.entries[i] = _mm512_loadu_si512(entries + 64 * i);
  }
  return table;
}

// An index has 6 bits, or 7 with two registers. The bits above are ignored, or do not matter
// because the entries repeat.
STRATA_INLINE lanes_bytes lanes_lookup(lanes_bytes codes, int bits,
                                       const struct lanes_table *table) {
  const __m512i *entries = table->entries;
  __m512i index = bits < 8 ? _mm512_srli_epi16(codes, (unsigned)(8 - bits)) : codes;
  if (bits < 7) {
    return _mm512_permutexvar_epi8(index, entries[0]);
  }
  __m512i low = _mm512_permutex2var_epi8(entries[0], index, entries[1]);
  if (bits == 7) {
    return low;
  }
  __m512i high = _mm512_permutex2var_epi8(entries[2], index, entries[3]);
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(index), high);
}
#else
struct lanes_table {
  __m512i entries[16];
};

STRATA_INLINE struct lanes_table lanes_table(const uint8_t entries[256]) {
  struct lanes_table table;
  for (int i = 0; i < 16; i++) {
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(entries + 16 * i));
    table.entries[i] = _mm512_broadcast_i32x4(sixteen);
  }
  return table;
}

// An index has 4 bits; what a further one selects is a table of its own. Adding 0x70 with
// saturation lifts the indices of other tables to 128 and above, for which a shuffle gives zero.
STRATA_INLINE lanes_bytes lanes_lookup(lanes_bytes codes, int bits,
                                       const struct lanes_table *table) {
  int mask = bits < 4 ? 15 : (1 << bits) - 1;
  __m512i index = bits < 8 ? _mm512_srli_epi16(codes, (unsigned)(8 - bits)) : codes;
  index = _mm512_and_si512(index, _mm512_set1_epi8((char)mask));
  if (bits <= 4) {
    return _mm512_shuffle_epi8(table->entries[0], index);
  }
  __m512i found = _mm512_setzero_si512();
  for (int i = 0; i < 1 << (bits - 4); i++) {
    __m512i here = _mm512_xor_si512(index, _mm512_set1_epi8((char)(16 * i)));
    here = _mm512_adds_epu8(here, _mm512_set1_epi8(0x70));
    found = _mm512_or_si512(found, _mm512_shuffle_epi8(table->entries[i], here));
  }
  return found;
}
#endif

// Sums of absolute differences: vpsadbw adds 8 columns, so a register holds 8 of the 16 rows: those
// of the lower or the upper half of each 128 bits.
enum { SAD_COLUMNS = 8, SAD_ROWS = 6 };

STRATA_INLINE void lanes_sad_operands(const lanes_bytes codes[8], uint8_t middle, uint8_t *out,
                                      int64_t step_bytes) {
  __m512i within = _mm512_set1_epi8((char)middle);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    __m512i first = _mm512_or_si512(codes[i], within);
    __m512i second = _mm512_or_si512(codes[i + 1], within);
    lanes_store_bytes(out + i / 2 * step_bytes, _mm512_unpacklo_epi32(first, second));
    lanes_store_bytes(out + i / 2 * step_bytes + 64, _mm512_unpackhi_epi32(first, second));
  }
}

STRATA_INLINE lanes_bytes lanes_sad_activations(const int8_t *q) {
  int64_t word;
  __builtin_memcpy(&word, q, sizeof word);
  return _mm512_xor_si512(_mm512_set1_epi64(word), _mm512_set1_epi8((char)0x80));
}

STRATA_INLINE lanes_int lanes_sad(lanes_int acc, lanes_bytes operand, lanes_bytes q) {
  return _mm512_add_epi64(acc, _mm512_sad_epu8(operand, q));
}

STRATA_INLINE lanes_int lanes_sad_total(const lanes_int halves[2]) {
  __m512 lower = _mm512_castsi512_ps(halves[0]), upper = _mm512_castsi512_ps(halves[1]);
  return _mm512_castps_si512(_mm512_shuffle_ps(lower, upper, 0x88));
}

STRATA_INLINE lanes_float lanes_scale_codes(const uint8_t *group, int part) {
  (void)part;
  return strata_scale_codes(group);
}

STRATA_INLINE lanes_float lanes_offset_codes(const uint8_t *group, int part) {
  (void)part;
  return strata_offset_codes(group);
}

STRATA_INLINE void lanes_store_rows(const struct strata_epilogue *e, int64_t rows, int64_t m,
                                    int64_t c, lanes_float t) {
  __mmask16 mask = rows - c >= LANES ? 0xffff : (__mmask16)((1u << (rows - c)) - 1);
  __m512 y = _mm512_add_ps(t, _mm512_loadu_ps(e->bias + c));
  if (e->residual) {
    const float *residual = e->residual + m * e->residual_stride + c;
    y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, residual));
  }
  _mm512_mask_storeu_ps(e->out + m * e->out_stride + c, mask, y);
}

STRATA_INLINE void lanes_interleave(const int8_t *const *taps, lanes_bytes quads[PARTS]) {
  __m128i tap[4], quad[4];
  for (int i = 0; i < 4; i++) {
    tap[i] = _mm_loadu_si128((const __m128i *)taps[i]);
  }
  __m128i low01 = _mm_unpacklo_epi8(tap[0], tap[1]), low23 = _mm_unpacklo_epi8(tap[2], tap[3]);
  __m128i high01 = _mm_unpackhi_epi8(tap[0], tap[1]), high23 = _mm_unpackhi_epi8(tap[2], tap[3]);
  quad[0] = _mm_unpacklo_epi16(low01, low23);
  quad[1] = _mm_unpackhi_epi16(low01, low23);
  quad[2] = _mm_unpacklo_epi16(high01, high23);
  quad[3] = _mm_unpackhi_epi16(high01, high23);
  __m512i all = _mm512_castsi128_si512(quad[0]);
  all = _mm512_inserti32x4(all, quad[1], 1);
  all = _mm512_inserti32x4(all, quad[2], 2);
  quads[0] = _mm512_inserti32x4(all, quad[3], 3);
}

#endif
