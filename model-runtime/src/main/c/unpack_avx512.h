// Planes to codes, 16 rows x 32 columns at a time, for files built with AVX-512.
#ifndef STRATA_UNPACK_AVX512_H
#define STRATA_UNPACK_AVX512_H

#include <immintrin.h>

#include "strata.h"

#define STRATA_INLINE static inline __attribute__((always_inline))

// acc += sum of 4 products of unsigned code and signed activation, in each of 16 rows. The
// intrinsic is not used because gcc 12 copies the accumulator register for each call of it.
STRATA_INLINE __m512i strata_dot(__m512i acc, __m512i codes, __m512i activations) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(codes), "v"(activations));
  return acc;
}

STRATA_INLINE __m512i strata_broadcast4(const void *four_bytes) {
  int32_t word;
  __builtin_memcpy(&word, four_bytes, sizeof word);
  return _mm512_set1_epi32(word);
}

// One step of the butterfly. Fields of `shift` bits of x and y become fields of twice the width,
// x above y: `low` gets the even fields, `high` the odd ones. Without y its bits are zero.
STRATA_INLINE void strata_merge(__m512i x, __m512i y, int with_y, int shift, uint8_t upper,
                                __m512i *low, __m512i *high) {
  __m512i mask = _mm512_set1_epi8((char)upper);
  enum { CHOOSE = 0xe4 };  // mask ? first : second
  if (with_y) {
    *low = _mm512_ternarylogic_epi64(_mm512_slli_epi16(x, shift), y, mask, CHOOSE);
    *high = _mm512_ternarylogic_epi64(x, _mm512_srli_epi16(y, shift), mask, CHOOSE);
  } else {
    *low = _mm512_and_si512(_mm512_slli_epi16(x, shift), mask);
    *high = _mm512_and_si512(x, mask);
  }
}

// Fields of four bits: nibble[i] holds columns 4i.. (low nibbles) and 4i+16.. (high nibbles).
STRATA_INLINE void strata_nibbles(const __m512i *p, int planes, __m512i nibble[4]) {
  __m512i none = _mm512_setzero_si512();
  __m512i even = none, odd = none, even2 = none, odd2 = none;
  strata_merge(p[0], planes > 1 ? p[1] : none, planes > 1, 1, 0xaa, &even, &odd);
  if (planes > 2) {
    strata_merge(p[2], planes > 3 ? p[3] : none, planes > 3, 1, 0xaa, &even2, &odd2);
  }
  strata_merge(even, even2, planes > 2, 2, 0xcc, &nibble[0], &nibble[2]);
  strata_merge(odd, odd2, planes > 2, 2, 0xcc, &nibble[1], &nibble[3]);
}

// The planes of one line, `bits` of them.
STRATA_INLINE void strata_load_planes(const uint8_t *const *planes, int64_t line, int bits,
                                      __m512i p[8]) {
#pragma GCC unroll 8
  for (int i = 0; i < bits; i++) {
    p[i] = _mm512_loadu_si512(planes[i] + line);
  }
}

// codes[i] holds columns 4i..4i+3 of 16 rows as bytes U, shifted right by strata_code_shift(bits,
// i): what is left of a code that stays where the merged planes have it. `bits` is a constant where
// this is inlined.
STRATA_INLINE void strata_unpack_in_place(const uint8_t *const *planes, int64_t line, int bits,
                                          __m512i codes[8]) {
  __m512i p[8];
  strata_load_planes(planes, line, bits, p);
  if (bits == 1) {
    __m512i lower = _mm512_slli_epi16(p[0], 4);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      codes[i] = _mm512_and_si512(i < 4 ? lower : p[0], _mm512_set1_epi8((char)(0x10 << i % 4)));
    }
    return;
  }
  if (bits == 2) {
    __m512i even, odd;
    strata_merge(p[0], p[1], 1, 1, 0xaa, &even, &odd);
    __m512i lower[2] = {_mm512_slli_epi16(even, 4), _mm512_slli_epi16(odd, 4)};
    __m512i upper[2] = {even, odd};
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      codes[i] = _mm512_and_si512(i < 4 ? lower[i % 2] : upper[i % 2],
                                  _mm512_set1_epi8((char)(i % 4 < 2 ? 0x30 : 0xc0)));
    }
    return;
  }
  __m512i upper[4], lower[4];
  strata_nibbles(p, bits < 4 ? bits : 4, upper);
  if (bits > 4) {
    strata_nibbles(p + 4, bits - 4, lower);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    if (bits > 4) {
      strata_merge(upper[i], lower[i], 1, 4, 0xf0, &codes[i], &codes[i + 4]);
    } else {
      codes[i] = _mm512_and_si512(upper[i], _mm512_set1_epi8(0x0f));
      codes[i + 4] = _mm512_and_si512(upper[i], _mm512_set1_epi8((char)0xf0));
    }
  }
}

STRATA_INLINE int strata_code_shift(int bits, int i) {
  return bits == 1 ? 3 - i % 4 : bits == 2 ? (i % 4 < 2 ? 2 : 0) : bits <= 4 ? (i < 4 ? 4 : 0) : 0;
}

// codes[i] holds columns 4i..4i+3 of 16 rows as bytes U.
STRATA_INLINE void strata_unpack(const uint8_t *const *planes, int64_t line, int bits,
                                 __m512i codes[8]) {
  strata_unpack_in_place(planes, line, bits, codes);
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    if (strata_code_shift(bits, i)) {
      codes[i] = _mm512_slli_epi16(codes[i], strata_code_shift(bits, i));
    }
  }
}

// 16 codes of a group table as floats.
STRATA_INLINE __m512 strata_scale_codes(const uint8_t *group) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)group)));
}

STRATA_INLINE __m512 strata_offset_codes(const uint8_t *group) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)group + 1)));
}

STRATA_INLINE __m512 strata_broadcast_float(const int32_t *value) {
  return _mm512_cvtepi32_ps(_mm512_set1_epi32(*value));
}

// Is every activation code worth exactly 1, its scale being part of the weights' tables? Then
// scale * I is I, and a kernel may leave the multiplication out.
STRATA_INLINE int strata_all_ones(const float *scale, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (scale[i] != 1) {
      return 0;
    }
  }
  return 1;
}

// Rows of a panel that exist.
STRATA_INLINE __mmask16 strata_panel_mask(const struct strata_weights *w, int64_t panel) {
  int64_t rows = w->rows - panel * STRATA_PANEL_ROWS;
  return rows >= 16 ? 0xffff : rows > 0 ? (__mmask16)((1u << rows) - 1) : 0;
}

// The epilogue of 16 rows of a panel for activation row m, up to the activation.
STRATA_INLINE void strata_store16(const struct strata_weights *w, const struct strata_epilogue *e,
                                  int64_t m, int64_t panel, __mmask16 mask, __m512 a1, __m512 a2) {
  int64_t c = panel * STRATA_PANEL_ROWS;
  __m512 t = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, w->scale + c), a1,
                             _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, w->offset + c), a2));
  __m512 y = _mm512_add_ps(t, _mm512_maskz_loadu_ps(mask, e->bias + c));
  if (e->residual) {
    const float *residual = e->residual + m * e->residual_stride + c;
    y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, residual));
  }
  _mm512_mask_storeu_ps(e->out + m * e->out_stride + c, mask, y);
}

#endif
