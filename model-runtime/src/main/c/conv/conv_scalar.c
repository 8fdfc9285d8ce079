#include "conv/conv.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "weights.h"

static void run(const struct strata_weights *w, const struct strata_positions *x,
                const struct strata_epilogue *e, void *scratch) {
  uint8_t *codes = scratch;
  int64_t groups = strata_group_count(w);
  int32_t centre = strata_centre(w);
  struct strata_clamp clamp = strata_clamp_of(e);
  for (int64_t c = 0; c < w->rows; c++) {
    for (int64_t j = 0; j < w->columns; j++) {
      codes[j] = (uint8_t)strata_code(w, c, j);
    }
    for (int64_t m = 0; m < x->count; m++) {
      float a1 = 0;
      float a2 = 0;
      for (int64_t g = 0, j = 0; g < groups; g++) {
        int32_t dot = 0;
        int32_t sum = x->sums[m * groups + g];
        for (; j < (g + 1) * w->group && j < x->tap_count * x->channels; j++) {
          dot += codes[j] * x->taps[j / x->channels * x->count + m][j % x->channels];
        }
        float whole = (float)(2 * dot - centre * sum);
        a1 = fmaf(strata_group_scale(w, c, g), x->scale[m] * whole, a1);
        a2 = fmaf(strata_group_offset(w, c, g), x->scale[m] * (float)sum, a2);
      }
      strata_store(e, m, c, strata_combine(w->scale[c], a1, w->offset[c], a2));
      float *out = e->out + m * e->out_stride + c;
      *out = strata_clamp_to(clamp, *out);
    }
  }
}

const struct strata_conv_row strata_conv_wba8_x1__scalar = {strata_positions_find, run, 0};
