#include "bitserial/bitserial.h"
#include "unpack_avx512.h"
#include "weights.h"

enum { MOST_ROWS = 8 };

// acc += ones << shift, for 16 words. Bytes of at most 8 ones meet the weight 2^shift in one dot.
STRATA_INLINE __m512i add_ones(__m512i acc, __m512i ones, int64_t shift) {
  if (shift <= 7) {
    return strata_dot(acc, _mm512_set1_epi8((char)(1 << shift)), _mm512_popcnt_epi8(ones));
  }
  __m512i counts = _mm512_popcnt_epi32(ones);
  return _mm512_add_epi32(acc, _mm512_sll_epi32(counts, _mm_cvtsi64_si128(shift)));
}

// 16 weight rows for `rows` activation rows from m on; rows beyond the last repeat it unstored.
STRATA_INLINE void run_panel(const struct strata_weights *w, const struct strata_rows *x,
                             const struct strata_epilogue *e, int64_t panel, int64_t m,
                             int64_t bits, int64_t abits, int rows) {
  int64_t groups = strata_group_count(w);
  int64_t blocks = strata_blocks(w);
  int64_t group_blocks = w->group / STRATA_BLOCK_COLUMNS;
  __m512i centre = _mm512_set1_epi32(strata_centre(w));
  const uint8_t *table = strata_group(w, panel, 0);
  int64_t line = strata_line(w, panel, 0);
  const int8_t *q[MOST_ROWS];
  const int32_t *sums[MOST_ROWS];
  const float *scales[MOST_ROWS];
  __m512 a1[MOST_ROWS], a2[MOST_ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    int64_t row = m + r < x->count ? m + r : x->count - 1;
    q[r] = x->codes + row * abits * blocks * 4;
    sums[r] = x->sums + row * groups;
    scales[r] = x->scale + row * groups;
    a1[r] = a2[r] = _mm512_setzero_ps();
  }
  int64_t block = 0;
  for (int64_t g = 0; g < groups; g++) {
    __m512i acc[MOST_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      acc[r] = _mm512_setzero_si512();
    }
    for (int64_t end = block + group_blocks; block < end; block++) {
      for (int64_t p = 0; p < bits; p++) {
        __m512i plane = _mm512_loadu_si512(w->planes[p] + line);
        for (int64_t t = 0; t < abits; t++) {
#pragma GCC unroll 8
          for (int r = 0; r < rows; r++) {
            __m512i word = strata_broadcast4(q[r] + (t * blocks + block) * 4);
            acc[r] = add_ones(acc[r], _mm512_and_si512(plane, word), bits - 1 - p + t);
          }
        }
      }
      line += 64;
    }
    __m512 scale = strata_scale_codes(table);
    __m512 offset = strata_offset_codes(table);
    table += 2 * STRATA_PANEL_ROWS;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      __m512i twice = _mm512_sll_epi32(acc[r], _mm_cvtsi64_si128(9 - bits));
      __m512i sum = _mm512_set1_epi32(sums[r][g]);
      __m512i whole = _mm512_sub_epi32(twice, _mm512_mullo_epi32(centre, sum));
      __m512 by = _mm512_set1_ps(scales[r][g]);
      a1[r] = _mm512_fmadd_ps(scale, _mm512_mul_ps(by, _mm512_cvtepi32_ps(whole)), a1[r]);
      a2[r] = _mm512_fmadd_ps(offset, _mm512_mul_ps(by, _mm512_cvtepi32_ps(sum)), a2[r]);
    }
  }
  __mmask16 mask = strata_panel_mask(w, panel);
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    if (m + r < x->count) {
      strata_store16(w, e, m + r, panel, mask, a1[r], a2[r]);
    }
  }
}

STRATA_INLINE void run(const struct strata_weights *w, const struct strata_rows *x,
                       const struct strata_epilogue *e, int64_t bits, int64_t abits) {
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    for (int64_t m = 0; m < x->count; m += MOST_ROWS) {
      int64_t left = x->count - m;
      if (left == 1) {
        run_panel(w, x, e, panel, m, bits, abits, 1);
      } else if (left <= 4) {
        run_panel(w, x, e, panel, m, bits, abits, 4);
      } else {
        run_panel(w, x, e, panel, m, bits, abits, 8);
      }
    }
  }
}

// The widths this path is made for get loops of their own.
void strata_bitserial_wbab_x512__avx512(const struct strata_weights *w, const struct strata_rows *x,
                                        int64_t abits, const struct strata_epilogue *e,
                                        void *scratch) {
  (void)scratch;
  if (w->bits == 1 && abits == 1) {
    run(w, x, e, 1, 1);
  } else if (w->bits == 1 && abits == 2) {
    run(w, x, e, 1, 2);
  } else if (w->bits == 2 && abits == 1) {
    run(w, x, e, 2, 1);
  } else if (w->bits == 2 && abits == 2) {
    run(w, x, e, 2, 2);
  } else {
    run(w, x, e, w->bits, abits);
  }
}
