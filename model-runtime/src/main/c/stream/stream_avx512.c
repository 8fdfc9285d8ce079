#include "stream/stream.h"
#include "unpack_avx512.h"
#include "weights.h"

enum { MOST_ROWS = 8 };

// 16 weight rows for the activation rows from m on, `rows` of them at most; those beyond the last
// compute what the last does and are not stored. `bits` and `rows` are constants.
STRATA_INLINE void run_panel(const struct strata_weights *w, const struct strata_rows *x,
                             const struct strata_epilogue *e, int64_t panel, int64_t m, int bits,
                             int rows) {
  // A dot waits for the last one of its accumulator, so few rows use several accumulators each.
  const int chains = 4 / rows > 1 ? 4 / rows : 1;
  int64_t groups = strata_group_count(w);
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
    q[r] = x->codes + row * w->columns;
    sums[r] = x->sums + row * groups;
    scales[r] = x->scale + row * groups;
    a1[r] = a2[r] = _mm512_setzero_ps();
  }
  int64_t column = 0;
  for (int64_t g = 0; g < groups; g++) {
    __m512i acc[MOST_ROWS * 4];
#pragma GCC unroll 32
    for (int i = 0; i < rows * chains; i++) {
      acc[i] = _mm512_setzero_si512();
    }
    for (int64_t block = 0; block < group_blocks; block++) {
      __m512i codes[8];
      strata_unpack(w->planes, line, bits, codes);
      line += 64;
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
          __m512i *chain = &acc[r * chains + i % chains];
          *chain = strata_dot(*chain, codes[i], strata_broadcast4(q[r] + column + 4 * i));
        }
      }
      column += STRATA_BLOCK_COLUMNS;
    }
    __m512 scale = strata_scale_codes(table);
    __m512 offset = strata_offset_codes(table);
    table += 2 * STRATA_PANEL_ROWS;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      __m512i dot = acc[r * chains];
      if (chains > 1) {
        dot = _mm512_add_epi32(dot, acc[r * chains + 1]);
      }
      if (chains > 2) {
        dot = _mm512_add_epi32(dot, _mm512_add_epi32(acc[r * chains + 2], acc[r * chains + 3]));
      }
      __m512i sum = _mm512_set1_epi32(sums[r][g]);
      __m512i whole = _mm512_sub_epi32(_mm512_add_epi32(dot, dot), _mm512_mullo_epi32(centre, sum));
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

STRATA_INLINE void run_bits(const struct strata_weights *w, const struct strata_rows *x,
                            const struct strata_epilogue *e, int bits) {
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    for (int64_t m = 0; m < x->count; m += MOST_ROWS) {
      int64_t left = x->count - m;
      if (left == 1) {
        run_panel(w, x, e, panel, m, bits, 1);
      } else if (left == 2) {
        run_panel(w, x, e, panel, m, bits, 2);
      } else if (left <= 4) {
        run_panel(w, x, e, panel, m, bits, 4);
      } else {
        run_panel(w, x, e, panel, m, bits, 8);
      }
    }
  }
}

void strata_stream_wba8_x16__avx512(const struct strata_weights *w, const struct strata_rows *x,
                                    const struct strata_epilogue *e) {
  switch (w->bits) {
    case 1: run_bits(w, x, e, 1); break;
    case 2: run_bits(w, x, e, 2); break;
    case 3: run_bits(w, x, e, 3); break;
    case 4: run_bits(w, x, e, 4); break;
    case 5: run_bits(w, x, e, 5); break;
    case 6: run_bits(w, x, e, 6); break;
    case 7: run_bits(w, x, e, 7); break;
    default: run_bits(w, x, e, 8); break;
  }
}
