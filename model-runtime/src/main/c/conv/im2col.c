#include <string.h>

#include "conv/conv.h"
#include "window.h"

struct position {
  int64_t sample, y, x;
};

static struct position position(const struct strata_window *s, int64_t row) {
  int64_t pixels = s->out_height * s->out_width;
  struct position at = {row / pixels, row % pixels / s->out_width, row % s->out_width};
  return at;
}

void strata_conv_rows(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                      int64_t channels, int64_t pad_code, int64_t columns, int64_t first,
                      int64_t count, int8_t *out) {
  int64_t used = s->kernel_height * s->kernel_width * channels;
  for (int64_t row = first; row < first + count; row++) {
    struct position at = position(s, row);
    for (int64_t kh = 0; kh < s->kernel_height; kh++) {
      for (int64_t kw = 0; kw < s->kernel_width; kw++) {
        int64_t pixel = strata_pixel(s, at.sample, at.y, at.x, kh, kw);
        if (pixel < 0) {
          memset(out, (int)pad_code, (size_t)channels);
        } else {
          memcpy(out, x + pixel + first_channel, (size_t)channels);
        }
        out += channels;
      }
    }
    memset(out, 0, (size_t)(columns - used));
    out += columns - used;
  }
}

void strata_im2col_s8(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                      int64_t channels, int64_t pad_code, int64_t columns, int8_t *out) {
  strata_conv_rows(s, x, first_channel, channels, pad_code, columns, 0, strata_out_rows(s), out);
}

void strata_im2col_f32(const struct strata_window *s, const float *x, int64_t first_channel,
                       int64_t channels, float *out) {
  for (int64_t row = 0; row < strata_out_rows(s); row++) {
    struct position at = position(s, row);
    for (int64_t kh = 0; kh < s->kernel_height; kh++) {
      for (int64_t kw = 0; kw < s->kernel_width; kw++) {
        int64_t pixel = strata_pixel(s, at.sample, at.y, at.x, kh, kw);
        if (pixel < 0) {
          memset(out, 0, (size_t)channels * sizeof *out);
        } else {
          memcpy(out, x + pixel + first_channel, (size_t)channels * sizeof *out);
        }
        out += channels;
      }
    }
  }
}
