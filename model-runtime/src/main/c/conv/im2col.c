#include <string.h>

#include "conv/im2col.h"
#include "window.h"

static int64_t within(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

// The channels under one row of a window, `outside` in every byte of a tap outside the image. x and
// out are bytes, `channel` is one pixel's share in bytes, `pixel` a whole pixel in bytes.
static void lay_out_row(const struct strata_window *s, const uint8_t *x, int64_t pixel,
                        int64_t channel, int64_t left, int outside, uint8_t *out) {
  if (s->dilation_width == 1 && channel == pixel) {  // the taps inside lie side by side
    int64_t from = within(-left, 0, s->kernel_width);
    int64_t to = within(s->width - left, from, s->kernel_width);
    memset(out, outside, (size_t)(from * pixel));
    if (to > from) {
      memcpy(out + from * pixel, x + (left + from) * pixel, (size_t)((to - from) * pixel));
    }
    memset(out + to * pixel, outside, (size_t)((s->kernel_width - to) * pixel));
    return;
  }
  for (int64_t kw = 0; kw < s->kernel_width; kw++) {
    int64_t at = left + kw * s->dilation_width;
    if (at < 0 || at >= s->width) {
      memset(out, outside, (size_t)channel);
    } else {
      memcpy(out, x + at * pixel, (size_t)channel);
    }
    out += channel;
  }
}

// Window positions [first, first + count) of elements of `size` bytes, as rows of `columns`.
static void lay_out(const struct strata_window *s, const void *x, int64_t size,
                    int64_t first_channel, int64_t channels, int outside, int64_t columns,
                    int64_t first, int64_t count, uint8_t *out) {
  int64_t pixel = s->channels * size;
  int64_t channel = channels * size;
  int64_t used = s->kernel_height * s->kernel_width * channel;
  for (int64_t row = first; row < first + count; row++) {
    int64_t sample = row / (s->out_height * s->out_width);
    int64_t out_y = row / s->out_width % s->out_height;
    int64_t left = strata_tap(row % s->out_width, 0, s->stride_width, 1, s->pad_left);
    for (int64_t kh = 0; kh < s->kernel_height; kh++) {
      int64_t y = strata_tap(out_y, kh, s->stride_height, s->dilation_height, s->pad_top);
      if (y < 0 || y >= s->height) {
        memset(out, outside, (size_t)(s->kernel_width * channel));
      } else {
        const uint8_t *line = (const uint8_t *)x + (sample * s->height + y) * s->width * pixel;
        lay_out_row(s, line + first_channel * size, pixel, channel, left, outside, out);
      }
      out += s->kernel_width * channel;
    }
    memset(out, 0, (size_t)(columns * size - used));
    out += columns * size - used;
  }
}

void strata_im2col_rows(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                        int64_t channels, int64_t pad_code, int64_t columns, int64_t first,
                        int64_t count, int8_t *out) {
  lay_out(s, x, 1, first_channel, channels, (int)pad_code, columns, first, count, (uint8_t *)out);
}

void strata_im2col_s8(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                      int64_t channels, int64_t pad_code, int64_t columns, int8_t *out) {
  strata_im2col_rows(s, x, first_channel, channels, pad_code, columns, 0, strata_out_rows(s), out);
}

void strata_im2col_f32(const struct strata_window *s, const float *x, int64_t first_channel,
                       int64_t channels, float *out) {
  int64_t columns = s->kernel_height * s->kernel_width * channels;
  lay_out(s, x, sizeof *x, first_channel, channels, 0, columns, 0, strata_out_rows(s),
          (uint8_t *)out);
}
