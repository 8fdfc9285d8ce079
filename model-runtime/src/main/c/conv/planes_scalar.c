#include "conv/conv.h"
#include "conv/planes.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "weights.h"

// Weight plane p is worth 2^(7-p), activation plane t 2^t.
static void run(const struct strata_weights *w, const struct strata_positions *x, int64_t abits,
                const struct strata_epilogue *e, void *scratch) {
  (void)scratch;
  int64_t group_blocks = w->group / STRATA_BLOCK_COLUMNS;
  int64_t tap_blocks = x->channels / STRATA_BLOCK_COLUMNS;
  int64_t used = x->tap_count * tap_blocks;
  int32_t centre = strata_centre(w);
  struct strata_clamp clamp = strata_clamp_of(e);
  for (int64_t c = 0; c < w->rows; c++) {
    for (int64_t m = 0; m < x->count; m++) {
      float a1 = 0;
      float a2 = 0;
      for (int64_t g = 0, k = 0; g < x->groups; g++) {
        int32_t dot = 0;
        int32_t sum = x->sums[m * x->groups + g];
        for (; k < (g + 1) * group_blocks && k < used; k++) {
          const int8_t *pixel = x->taps[k / tap_blocks * x->count + m];
          int64_t line = strata_line(w, c / STRATA_PANEL_ROWS, k) + c % STRATA_PANEL_ROWS * 4;
          for (int64_t p = 0; p < w->bits; p++) {
            uint32_t bits = strata_word(w->planes[p] + line);
            for (int64_t t = 0; t < abits; t++) {
              uint32_t word = strata_word(pixel + t * x->plane + k % tap_blocks * 4);
              dot += __builtin_popcount(bits & word) << (7 - p + t);
            }
          }
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

const struct strata_conv_planes_row strata_conv_wbab_x1__scalar = {strata_plane_sums, run};
