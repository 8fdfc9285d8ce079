// From finished sums of a group to outputs, in the one order of strata.h: shared by the rows that
// hold the 16 weight rows of a panel in two registers.
#ifndef STRATA_CONV_FINISH_AVX2_H
#define STRATA_CONV_FINISH_AVX2_H

#include "epilogue/clamp.h"
#include "unpack_avx2.h"
#include "weights.h"

enum { FINISH_ROWS = 4 };

struct strata_finish {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  const uint8_t *table;  // group tables of the panel
  int64_t panel, groups;
  int32_t centre;
  __m256 low, high;
};

// a1 and a2 of a tile between two groups.
struct strata_finish_tile {
  float a1[FINISH_ROWS][2][8] __attribute__((aligned(32)));
  float a2[FINISH_ROWS][2][8] __attribute__((aligned(32)));
};

static inline struct strata_finish strata_finish_of(const struct strata_weights *w,
                                                    const struct strata_epilogue *e,
                                                    int64_t panel) {
  struct strata_clamp clamp = strata_clamp_of(e);
  struct strata_finish finish = {w,
                                 e,
                                 strata_group(w, panel, 0),
                                 panel,
                                 strata_group_count(w),
                                 strata_centre(w),
                                 _mm256_set1_ps(clamp.low),
                                 _mm256_set1_ps(clamp.high)};
  return finish;
}

// Writes the outputs of rows [c, c + 8) at position m.
STRATA_INLINE void strata_finish_store(const struct strata_finish *f, int64_t m, int64_t c,
                                       __m256 a1, __m256 a2) {
  const struct strata_weights *w = f->w;
  const struct strata_epilogue *e = f->e;
  __m256 t = _mm256_fmadd_ps(_mm256_loadu_ps(w->scale + c), a1,
                             _mm256_mul_ps(_mm256_loadu_ps(w->offset + c), a2));
  __m256 y = _mm256_add_ps(t, _mm256_loadu_ps(e->bias + c));
  int64_t left = w->rows - c;
  if (left <= 0) {
    return;
  }
  if (e->residual) {
    y = _mm256_add_ps(y, strata_load8(e->residual + m * e->residual_stride + c, left));
  }
  y = _mm256_min_ps(f->high, _mm256_max_ps(f->low, y));  // the second operand where one is NaN
  strata_store8(e->out + m * e->out_stride + c, left, y);
}

// Adds group g's share, `dot` = sum of U * q, to row m + r of half j; behind the last group stores
// the output.
STRATA_INLINE void strata_finish_add(const struct strata_finish *f,
                                     struct strata_finish_tile *sofar, int64_t g, int64_t m, int r,
                                     int j, float by, int32_t sum, __m256i dot) {
  __m256i whole = _mm256_sub_epi32(_mm256_add_epi32(dot, dot), _mm256_set1_epi32(f->centre * sum));
  const uint8_t *table = f->table + g * 2 * STRATA_PANEL_ROWS;
  __m256 none = _mm256_setzero_ps();
  __m256 a1 = _mm256_fmadd_ps(strata_scale_codes(table, j),
                              _mm256_mul_ps(_mm256_set1_ps(by), _mm256_cvtepi32_ps(whole)),
                              g > 0 ? _mm256_load_ps(sofar->a1[r][j]) : none);
  __m256 a2 = _mm256_fmadd_ps(strata_offset_codes(table, j), _mm256_set1_ps(by * (float)sum),
                              g > 0 ? _mm256_load_ps(sofar->a2[r][j]) : none);
  if (g < f->groups - 1) {
    _mm256_store_ps(sofar->a1[r][j], a1);
    _mm256_store_ps(sofar->a2[r][j], a2);
  } else {
    strata_finish_store(f, m + r, f->panel * STRATA_PANEL_ROWS + 8 * j, a1, a2);
  }
}

#endif
