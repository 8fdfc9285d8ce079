#include "conv/im2col.h"

#include <string.h>

#include "conv/positions.h"

// `count` pieces of `bytes` bytes; a constant number of bytes makes the copies single moves.
static void copy_pieces(const uint8_t *from, int64_t from_pitch, uint8_t *to, int64_t to_pitch,
                        int64_t count, int64_t bytes) {
#define PIECES(size)                                                          \
  case size:                                                                  \
    for (int64_t i = 0; i < count; i++, from += from_pitch, to += to_pitch) { \
      memcpy(to, from, size);                                                 \
    }                                                                         \
    break;
  switch (bytes) {
    PIECES(1)
    PIECES(2)
    PIECES(3)
    PIECES(4)
    PIECES(8)
    PIECES(12)
    PIECES(16)
    PIECES(32)
    default:
      for (int64_t i = 0; i < count; i++, from += from_pitch, to += to_pitch) {
        memcpy(to, from, (size_t)bytes);
      }
  }
#undef PIECES
}

static void fill_pieces(int byte, uint8_t *to, int64_t to_pitch, int64_t count, int64_t bytes) {
#define PIECES(size)                                      \
  case size:                                              \
    for (int64_t i = 0; i < count; i++, to += to_pitch) { \
      memset(to, byte, size);                             \
    }                                                     \
    break;
  switch (bytes) {
    PIECES(1)
    PIECES(2)
    PIECES(3)
    PIECES(4)
    PIECES(8)
    PIECES(12)
    PIECES(16)
    PIECES(32)
    PIECES(48)
    default:
      for (int64_t i = 0; i < count; i++, to += to_pitch) {
        memset(to, byte, (size_t)bytes);
      }
  }
#undef PIECES
}

// What a row of neighbouring positions sees of an image, in bytes.
struct strip {
  const uint8_t *line;  // the first channel of interest of the image row, or null outside the image
  int64_t pixel;        // a whole pixel
  int64_t piece;        // the channels of interest
  int64_t x, count;     // output columns
  int outside;          // every byte of a tap outside the image
};

// One tap of a strip's positions.
static void lay_out_tap(const struct strata_window *s, const struct strip *strip, int64_t kw,
                        uint8_t *out, int64_t pitch) {
  struct strata_reach reach =
      strata_reach_of(s->stride_width, kw * s->dilation_width - s->pad_left, s->width);
  int64_t low = strata_smaller(strata_larger(reach.low - strip->x, 0), strip->count);
  int64_t high = strata_smaller(strata_larger(reach.high - strip->x, low), strip->count);
  if (strip->line == NULL) {
    low = high = strip->count;
  }
  fill_pieces(strip->outside, out, pitch, low, strip->piece);
  if (high > low) {
    int64_t first = (strip->x + low) * s->stride_width + reach.offset;
    copy_pieces(strip->line + first * strip->pixel, s->stride_width * strip->pixel,
                out + low * pitch, pitch, high - low, strip->piece);
  }
  fill_pieces(strip->outside, out + high * pitch, pitch, strip->count - high, strip->piece);
}

// Window positions [first, first + count) of elements of `size` bytes, as rows of `columns`.
static void lay_out(const struct strata_window *s, const void *x, int64_t size,
                    int64_t first_channel, int64_t channels, int outside, int64_t columns,
                    int64_t first, int64_t count, uint8_t *out) {
  int64_t pitch = columns * size, taps = s->kernel_height * s->kernel_width;
  struct strip strip = {.pixel = s->channels * size, .piece = channels * size, .outside = outside};
  int64_t used = taps * strip.piece;
  if (used < pitch) {
    fill_pieces(0, out + used, pitch, count, pitch - used);
  }
  for (int64_t row = first; row < first + count; row += strip.count, out += strip.count * pitch) {
    int64_t sample = row / (s->out_height * s->out_width);
    int64_t out_y = row / s->out_width % s->out_height;
    strip.x = row % s->out_width;
    strip.count = strata_smaller(s->out_width - strip.x, first + count - row);
    for (int64_t tap = 0; tap < taps; tap++) {
      int64_t kh = tap / s->kernel_width;
      int64_t y = strata_tap(out_y, kh, s->stride_height, s->dilation_height, s->pad_top);
      const uint8_t *line = (const uint8_t *)x + (sample * s->height + y) * s->width * strip.pixel;
      strip.line = y < 0 || y >= s->height ? NULL : line + first_channel * size;
      lay_out_tap(s, &strip, tap % s->kernel_width, out + tap * strip.piece, pitch);
    }
  }
}

void strata_im2col_rows(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                        int64_t channels, int64_t pad_code, int64_t columns, int64_t first,
                        int64_t count, int8_t *out) {
  lay_out(s, x, 1, first_channel, channels, (int)pad_code, columns, first, count, (uint8_t *)out);
}

void strata_im2col_f32(const struct strata_window *s, const float *x, int64_t first_channel,
                       int64_t channels, float *out) {
  int64_t columns = s->kernel_height * s->kernel_width * channels;
  lay_out(s, x, sizeof *x, first_channel, channels, 0, columns, 0, strata_out_rows(s),
          (uint8_t *)out);
}
