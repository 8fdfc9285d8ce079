#include <string.h>

#include "bitserial/bitserial.h"
#include "epilogue/epilogue.h"
#include "weights.h"

static uint32_t word(const void *words, int64_t index) {
  uint32_t value;
  memcpy(&value, (const uint8_t *)words + 4 * index, sizeof value);
  return value;
}

// Weight plane p is worth 2^(7-p), activation plane t 2^t.
void strata_bitserial_wbab_x32__scalar(const struct strata_weights *w, const struct strata_rows *x,
                                       int64_t abits, const struct strata_epilogue *e,
                                       void *scratch) {
  (void)scratch;
  int64_t groups = strata_group_count(w);
  int64_t blocks = strata_blocks(w);
  int64_t group_blocks = w->group / STRATA_BLOCK_COLUMNS;
  int32_t centre = strata_centre(w);
  for (int64_t m = 0; m < x->count; m++) {
    const int8_t *planes = x->codes + m * abits * blocks * 4;
    const int32_t *sums = x->sums + m * groups;
    const float *scale = x->scale + m * groups;
    for (int64_t c = 0; c < w->rows; c++) {
      float a1 = 0;
      float a2 = 0;
      for (int64_t g = 0; g < groups; g++) {
        int32_t dot = 0;
        for (int64_t k = g * group_blocks; k < (g + 1) * group_blocks; k++) {
          int64_t line = strata_line(w, c / STRATA_PANEL_ROWS, k);
          for (int64_t p = 0; p < w->bits; p++) {
            uint32_t bits = word(w->planes[p] + line, c % STRATA_PANEL_ROWS);
            for (int64_t t = 0; t < abits; t++) {
              dot += __builtin_popcount(bits & word(planes, t * blocks + k)) << (7 - p + t);
            }
          }
        }
        float whole = (float)(2 * dot - centre * sums[g]);
        a1 = fmaf(strata_group_scale(w, c, g), scale[g] * whole, a1);
        a2 = fmaf(strata_group_offset(w, c, g), scale[g] * (float)sums[g], a2);
      }
      strata_store(e, m, c, strata_combine(w->scale[c], a1, w->offset[c], a2));
    }
  }
}
