// Convolution of each channel by itself, NHWC. Taps outside the image hold the
// channel's pad code.
#ifndef STRATA_DEPTHWISE_H
#define STRATA_DEPTHWISE_H

#include "isa.h"

typedef void strata_depthwise_row(const struct strata_weights *w, const struct strata_window *s,
                                  const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                                  const struct strata_epilogue *e);

#define DEPTHWISE(isa, name, clamps) strata_depthwise_row name;
#include "depthwise/depthwise.inc"
#undef DEPTHWISE

void strata_depthwise_select(uint32_t isa);

#endif
