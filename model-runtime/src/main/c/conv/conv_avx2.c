#include "block/block_avx2.h"
#include "conv/conv.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"

// Sums of each group's codes. Where there is one group, what fills a row up is zero.
static void sum_groups(const struct strata_weights *w, const struct strata_positions *x) {
  if (x->groups == 1) {
    strata_group_sums(x->rows, x->count, x->pitch, x->pitch, x->sums);
    return;
  }
  for (int64_t m = 0; m < x->count; m++) {
    strata_group_sums(x->rows + m * x->pitch, 1, w->columns, w->group, x->sums + m * x->groups);
  }
}

// A chunk of positions as rows stays in the level 2 cache, so the blocked product reads it as fast
// as it would read pixels in place, and has no addresses to follow.
static void run(const struct strata_weights *w, const struct strata_positions *x,
                const struct strata_epilogue *e, void *scratch) {
  float *scales = scratch;
  for (int64_t m = 0; m < x->count; m++) {
    for (int64_t g = 0; g < x->groups; g++) {
      scales[m * x->groups + g] = x->scale[m];
    }
  }
  sum_groups(w, x);
  const struct strata_rows rows = {
      .codes = x->rows, .sums = x->sums, .scale = scales, .count = x->count};
  int64_t scale_bytes = strata_conv_scale_bytes(w, x->count);
  strata_block_pitched_avx2(w, &rows, x->pitch, e, (uint8_t *)scratch + scale_bytes);
  if (strata_is_clamp(e)) {
    strata_epilogue_activate(e, 0, x->count, w->rows);
  }
}

const struct strata_conv_row strata_conv_wba8_x4x16__avx2 = {NULL, run};
