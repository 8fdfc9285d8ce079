// From the integer sums of a group to outputs, in the one order of strata.h, for up to four
// activation rows and the 16 weight rows of a panel in two registers.
#ifndef STRATA_BLOCK_FINISH_AVX2_H
#define STRATA_BLOCK_FINISH_AVX2_H

#include "unpack_avx2.h"
#include "weights.h"

enum { FINISH_ROWS = 4 };

// What the activation rows of a tile need besides their products, for one group.
struct strata_group_rows {
  int32_t middle[FINISH_ROWS];  // centre * sum of the activations
  float scale[FINISH_ROWS];
  float mean[FINISH_ROWS];  // scale * sum
};

// Fills in the groups of activation rows [m, m + rows).
static inline void strata_group_rows(const struct strata_weights *w, const struct strata_rows *x,
                                     int64_t m, int64_t rows, struct strata_group_rows *out) {
  int64_t groups = strata_group_count(w);
  int32_t centre = strata_centre(w);
  for (int64_t r = 0; r < rows; r++) {
    const int32_t *sums = x->sums + (m + r) * groups;
    const float *scales = x->scale + (m + r) * groups;
    for (int64_t g = 0; g < groups; g++) {
      out[g].middle[r] = centre * sums[g];
      out[g].scale[r] = scales[g];
      out[g].mean[r] = scales[g] * (float)sums[g];
    }
  }
}

// Adds a group's share to a1, [rows][2] with `pitch` registers from row to row. dot is twice the
// sum of U * q, and `table` the group's of the panel.
STRATA_INLINE void strata_add_group(const uint8_t *table, const struct strata_group_rows *group,
                                    int rows, const __m256i *dot, __m256 *a1, int64_t pitch) {
  __m256 scale[2] = {strata_scale_codes(table, 0), strata_scale_codes(table, 1)};
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    __m256i middle = _mm256_set1_epi32(group->middle[r]);
    __m256 by = _mm256_broadcast_ss(&group->scale[r]);
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      __m256 *sum = a1 + r * pitch + j;
      __m256 whole = _mm256_cvtepi32_ps(_mm256_sub_epi32(dot[r * pitch + j], middle));
      *sum = _mm256_fmadd_ps(scale[j], _mm256_mul_ps(by, whole), *sum);
    }
  }
}

// What comes behind the last group: the offsets and the epilogue.
STRATA_INLINE void strata_finish_panel(const struct strata_weights *w,
                                       const struct strata_epilogue *epilogue, int64_t m,
                                       int64_t panel, const struct strata_group_rows *group,
                                       int rows, const __m256 *a1, int64_t pitch) {
  const struct strata_epilogue e = *epilogue;  // stores may not make a copy be read again
  int64_t groups = strata_group_count(w);
  const uint8_t *table = strata_group(w, panel, 0);
  __m256 a2[FINISH_ROWS][2];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    a2[r][0] = a2[r][1] = _mm256_setzero_ps();
  }
  for (int64_t g = 0; g < groups; g++, group++, table += 2 * STRATA_PANEL_ROWS) {
    __m256 offset[2] = {strata_offset_codes(table, 0), strata_offset_codes(table, 1)};
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      __m256 mean = _mm256_broadcast_ss(&group->mean[r]);
      a2[r][0] = _mm256_fmadd_ps(offset[0], mean, a2[r][0]);
      a2[r][1] = _mm256_fmadd_ps(offset[1], mean, a2[r][1]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      strata_finish8(w, &e, m + r, panel * STRATA_PANEL_ROWS + 8 * j, a1[r * pitch + j], a2[r][j]);
    }
  }
}

#endif
