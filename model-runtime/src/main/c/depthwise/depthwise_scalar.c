#include "depthwise/depthwise.h"
#include "epilogue/epilogue.h"
#include "weights.h"
#include "window.h"

void strata_depthwise_wba8_x1__scalar(const struct strata_weights *w, const struct strata_window *s,
                                      const int8_t *x, const float *x_scale,
                                      const int8_t *pad_codes, const struct strata_epilogue *e) {
  int64_t pixels = s->out_height * s->out_width;
  for (int64_t m = 0; m < strata_out_rows(s); m++) {
    int64_t sample = m / pixels;
    int64_t out_y = m % pixels / s->out_width;
    int64_t out_x = m % s->out_width;
    for (int64_t c = 0; c < w->rows; c++) {
      int32_t dot = 0;
      int32_t sum = 0;
      for (int64_t tap = 0; tap < s->kernel_height * s->kernel_width; tap++) {
        int64_t pixel =
            strata_pixel(s, sample, out_y, out_x, tap / s->kernel_width, tap % s->kernel_width);
        int32_t q = pixel < 0 ? pad_codes[c] : x[pixel + c];
        dot += strata_code(w, c, tap) * q;
        sum += q;
      }
      float whole = (float)(2 * dot - strata_centre(w) * sum);
      float a1 = fmaf(strata_group_scale(w, c, 0), x_scale[sample] * whole, 0);
      float a2 = fmaf(strata_group_offset(w, c, 0), x_scale[sample] * (float)sum, 0);
      strata_store(e, m, c, strata_combine(w->scale[c], a1, w->offset[c], a2));
    }
  }
}
