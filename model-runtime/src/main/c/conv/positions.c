#include "conv/positions.h"

#include <string.h>

#include "window.h"

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t strata_positions_chunk(int64_t taps, int64_t outputs) {
  int64_t fit = POSITIONS_BYTES / (taps * (int64_t)sizeof(int8_t *));
  int64_t most = larger(smaller(fit, POSITIONS_MOST) / POSITIONS_TILE, 1) * POSITIONS_TILE;
  int64_t even = ceil_div(outputs, larger(ceil_div(outputs, most), 1));
  return larger(ceil_div(even, POSITIONS_TILE), 1) * POSITIONS_TILE;
}

// Neighbouring positions in one output row: `count` from column `x` on, the first of them at
// position `at` of the chunk. Those of [inside, outside) see the image under a tap.
struct run {
  int64_t sample, y, x, count, at;
  int64_t inside, outside;
};

// Which positions of a run have column 0 <= x * stride + offset < width under a tap.
static void clip(struct run *run, int64_t stride, int64_t offset, int64_t width) {
  int64_t low = offset >= 0 ? 0 : ceil_div(-offset, stride);
  int64_t high = width > offset ? ceil_div(width - offset, stride) : 0;
  run->inside = larger(0, smaller(low - run->x, run->count));
  run->outside = larger(run->inside, smaller(high - run->x, run->count));
}

// `pixel` is the one under the first position of the run; it exists only if that one is inside.
static void find_taps(const struct strata_pixels *pixels, const struct run *run, int64_t pixel,
                      int64_t stride, const int8_t **taps) {
  int64_t i = 0;
  for (; i < run->inside; i++) {
    taps[i] = pixels->outside;
  }
  for (; i < run->outside; i++) {
    taps[i] = pixels->codes + (pixel + i * stride) * pixels->bytes;
  }
  for (; i < run->count; i++) {
    taps[i] = pixels->outside;
  }
}

// Adds one unit's sums to the run's sums, which are `pitch` apart.
static void add_sums(const struct strata_pixels *pixels, const struct run *run, int64_t pixel,
                     int64_t stride, int64_t unit, int32_t *sums, int64_t pitch) {
  int64_t i = 0;
  for (; i < run->inside; i++) {
    sums[i * pitch] += pixels->outside_sum;
  }
  if (pitch == 1 && stride * pixels->units == 1) {  // a loop of vectors
    for (; i < run->outside; i++) {
      sums[i] += pixels->sums[pixel + i];
    }
  }
  for (; i < run->outside; i++) {
    sums[i * pitch] += pixels->sums[(pixel + i * stride) * pixels->units + unit];
  }
  for (; i < run->count; i++) {
    sums[i * pitch] += pixels->outside_sum;
  }
}

static void find_run(const struct strata_window *s, const struct strata_pixels *pixels,
                     struct run *run, int64_t group, int64_t groups, struct strata_positions *x) {
  int64_t tap = 0;
  for (int64_t kh = 0; kh < s->kernel_height; kh++) {
    int64_t y = strata_tap(run->y, kh, s->stride_height, s->dilation_height, s->pad_top);
    for (int64_t kw = 0; kw < s->kernel_width; kw++, tap++) {
      int64_t left = kw * s->dilation_width - s->pad_left;
      if (y < 0 || y >= s->height) {
        run->inside = run->outside = run->count;
      } else {
        clip(run, s->stride_width, left, s->width);
      }
      int64_t pixel = (run->sample * s->height + y) * s->width + run->x * s->stride_width + left;
      find_taps(pixels, run, pixel, s->stride_width, x->taps + tap * x->count + run->at);
      for (int64_t c = 0; c < pixels->channels; c += pixels->unit) {
        int32_t *sums = x->sums + run->at * groups + (tap * pixels->channels + c) / group;
        add_sums(pixels, run, pixel, s->stride_width, c / pixels->unit, sums, groups);
      }
    }
  }
}

void strata_positions_find(const struct strata_window *s, const struct strata_pixels *pixels,
                           int64_t first, int64_t group, int64_t groups,
                           struct strata_positions *x) {
  memset(x->sums, 0, (size_t)(x->count * groups) * sizeof *x->sums);
  for (int64_t at = 0, count; at < x->count; at += count) {
    int64_t row = (first + at) / s->out_width;
    int64_t column = (first + at) % s->out_width;
    count = smaller(s->out_width - column, x->count - at);
    struct run run = {.sample = row / s->out_height,
                      .y = row % s->out_height,
                      .x = column,
                      .count = count,
                      .at = at};
    find_run(s, pixels, &run, group, groups, x);
  }
}
