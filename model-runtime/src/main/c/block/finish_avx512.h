// The end of the blocked product on AVX-512: the offsets' sums, then the epilogue.
#ifndef STRATA_BLOCK_FINISH_AVX512_H
#define STRATA_BLOCK_FINISH_AVX512_H

#include "unpack_avx512.h"
#include "weights.h"

enum { FINISHED_ROWS = 6 };  // as many as leave registers for everything else

// Of the activations of some rows. Row r of group g is at [r * row + g * group].
struct strata_finish_rows {
  const float *mean;    // scale * sum
  const int32_t *pair;  // in even groups: the sums of this group and the next, 16 bits each
  int64_t row, group;
  int integers;  // every code is worth 1 and the offsets' sums are integers below 2^24
};

STRATA_INLINE void strata_add_offsets(const struct strata_finish_rows *x,
                                      const uint8_t *const tables[2], int64_t groups, int rows,
                                      __m512 a2[FINISHED_ROWS][2]) {
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    a2[r][0] = a2[r][1] = _mm512_setzero_ps();
  }
  for (int64_t g = 0; g < groups; g++) {
    __m512 offset0 = strata_offset_codes(tables[0] + g * 32);
    __m512 offset1 = strata_offset_codes(tables[1] + g * 32);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m512 mean = _mm512_set1_ps(x->mean[r * x->row + g * x->group]);
      a2[r][0] = _mm512_fmadd_ps(offset0, mean, a2[r][0]);
      a2[r][1] = _mm512_fmadd_ps(offset1, mean, a2[r][1]);
    }
  }
}

// The offset codes of group g and the next as 16-bit numbers; beyond the last group there are none.
STRATA_INLINE __m512i strata_offset_pairs(const uint8_t *table, int64_t g, int64_t groups) {
  const __m128i *offsets = (const __m128i *)(table + g * 32) + 1;
  __m512i low = _mm512_cvtepi8_epi32(_mm_loadu_si128(offsets));
  __m512i high =
      g + 1 < groups ? _mm512_cvtepi8_epi32(_mm_loadu_si128(offsets + 2)) : _mm512_setzero_si512();
  return _mm512_mask_blend_epi16(0xaaaaaaaa, low, _mm512_slli_epi32(high, 16));
}

// The same where every term and sum is an integer that has a float: two groups in one dot.
STRATA_INLINE void strata_add_offset_pairs(const struct strata_finish_rows *x,
                                           const uint8_t *const tables[2], int64_t groups, int rows,
                                           __m512 a2[FINISHED_ROWS][2]) {
  __m512i sum[FINISHED_ROWS][2];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    sum[r][0] = sum[r][1] = _mm512_setzero_si512();
  }
  for (int64_t g = 0; g < groups; g += 2) {
    __m512i offsets0 = strata_offset_pairs(tables[0], g, groups);
    __m512i offsets1 = strata_offset_pairs(tables[1], g, groups);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m512i pair = _mm512_set1_epi32(x->pair[r * x->row + g * x->group]);
      sum[r][0] = _mm512_dpwssd_epi32(sum[r][0], offsets0, pair);
      sum[r][1] = _mm512_dpwssd_epi32(sum[r][1], offsets1, pair);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    a2[r][0] = _mm512_cvtepi32_ps(sum[r][0]);
    a2[r][1] = _mm512_cvtepi32_ps(sum[r][1]);
  }
}

// Outputs of `rows` (a constant) activation rows from m on x two panels; the second may not exist.
STRATA_INLINE void strata_finish_rows(const struct strata_weights *w,
                                      const struct strata_epilogue *e, int64_t m, int64_t panel,
                                      const struct strata_finish_rows *x, int rows,
                                      __m512 a1[FINISHED_ROWS][2]) {
  const int64_t last = strata_panels(w) - 1;
  const uint8_t *tables[2] = {strata_group(w, panel, 0),
                              strata_group(w, panel < last ? panel + 1 : last, 0)};
  __m512 a2[FINISHED_ROWS][2];
  int64_t groups = strata_group_count(w);
  x->integers ? strata_add_offset_pairs(x, tables, groups, rows, a2)
              : strata_add_offsets(x, tables, groups, rows, a2);
  int64_t residual_stride = e->residual_stride;
  int64_t out_stride = e->out_stride;
#pragma GCC unroll 2
  for (int j = 0; j < 2; j++) {
    __mmask16 mask = strata_panel_mask(w, panel + j);
    int64_t c = (panel + j) * STRATA_PANEL_ROWS;
    __m512 scale = _mm512_maskz_loadu_ps(mask, w->scale + c);
    __m512 offset = _mm512_maskz_loadu_ps(mask, w->offset + c);
    __m512 bias = _mm512_maskz_loadu_ps(mask, e->bias + c);
    float *out = e->out + m * out_stride + c;
    const float *residual = e->residual ? e->residual + m * residual_stride + c : NULL;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m512 y = _mm512_fmadd_ps(scale, a1[r][j], _mm512_mul_ps(offset, a2[r][j]));
      y = _mm512_add_ps(y, bias);
      if (residual) {
        y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, residual + r * residual_stride));
      }
      _mm512_mask_storeu_ps(out + r * out_stride, mask, y);
    }
  }
}

#endif
