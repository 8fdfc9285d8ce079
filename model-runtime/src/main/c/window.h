// Where a window of an NHWC image looks.
#ifndef STRATA_WINDOW_H
#define STRATA_WINDOW_H

#include "strata.h"

// Input coordinate under tap `k` at output coordinate `out`; may lie outside the image.
static inline int64_t strata_tap(int64_t out, int64_t k, int64_t stride, int64_t dilation,
                                 int64_t pad) {
  return out * stride + k * dilation - pad;
}

// Index of the first channel of the pixel under tap (kh, kw), or -1 outside the image.
static inline int64_t strata_pixel(const struct strata_window *s, int64_t sample, int64_t out_y,
                                   int64_t out_x, int64_t kh, int64_t kw) {
  int64_t y = strata_tap(out_y, kh, s->stride_height, s->dilation_height, s->pad_top);
  int64_t x = strata_tap(out_x, kw, s->stride_width, s->dilation_width, s->pad_left);
  if (y < 0 || y >= s->height || x < 0 || x >= s->width) {
    return -1;
  }
  return ((sample * s->height + y) * s->width + x) * s->channels;
}

static inline int64_t strata_out_rows(const struct strata_window *s) {
  return s->samples * s->out_height * s->out_width;
}

#endif
