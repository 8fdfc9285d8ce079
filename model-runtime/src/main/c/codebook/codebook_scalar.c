#include "codebook/codebook.h"
#include "epilogue/epilogue.h"
#include "weights.h"

// The definition in strata.h; each row of values is looked up once for all activation rows.
void strata_codebook_wba8_x1__scalar(const struct strata_weights *w, const int8_t *codebook,
                                     const struct strata_rows *x, const struct strata_epilogue *e,
                                     void *scratch) {
  int8_t *values = scratch;
  int64_t groups = strata_group_count(w);
  for (int64_t c = 0; c < w->rows; c++) {
    for (int64_t j = 0; j < w->columns; j++) {
      values[j] = codebook[strata_code(w, c, j) >> (8 - w->bits)];
    }
    for (int64_t m = 0; m < x->count; m++) {
      const int8_t *q = x->codes + m * w->columns;
      const int32_t *sums = x->sums + m * groups;
      const float *scale = x->scale + m * groups;
      float a1 = 0;
      float a2 = 0;
      for (int64_t g = 0; g < groups; g++) {
        int32_t dot = 0;
        for (int64_t j = g * w->group; j < (g + 1) * w->group; j++) {
          dot += values[j] * q[j];
        }
        a1 = fmaf(strata_group_scale(w, c, g), scale[g] * (float)dot, a1);
        a2 = fmaf(strata_group_offset(w, c, g), scale[g] * (float)sums[g], a2);
      }
      strata_store(e, m, c, strata_combine(w->scale[c], a1, w->offset[c], a2));
    }
  }
}
