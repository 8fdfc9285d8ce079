#include "depthwise/depthwise.h"
#include "depthwise/depthwise_lanes.inc"

void strata_depthwise_wba8_x16__avx512bw(const struct strata_weights *w,
                                         const struct strata_window *s, const int8_t *x,
                                         const float *x_scale, const int8_t *pad_codes,
                                         const struct strata_epilogue *e) {
  depthwise_lanes(w, s, x, x_scale, pad_codes, e);
}
