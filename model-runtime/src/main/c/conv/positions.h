// Window positions as a matrix product reads them: for each tap the address of the pixel under it.
// The functions are in this header so that each row of a table compiles them with its own flags.
#ifndef STRATA_CONV_POSITIONS_H
#define STRATA_CONV_POSITIONS_H

#include <string.h>

#include "integers.h"
#include "window.h"

enum {
  POSITIONS_TILE = 12,         // chunks are whole tiles of the widest row
  POSITIONS_MOST = 480,        // of a chunk, so that pixels and results stay in a level 2 cache
  POSITIONS_BYTES = 64 << 10,  // of a chunk's table, for the same reason
};

// One group of an image's channels. The codes of each run of `unit` channels are summed beforehand.
struct strata_pixels {
  const int8_t *codes;    // the group's first channel of the first pixel
  int64_t bytes;          // from one pixel to the next
  const int8_t *outside;  // what taps outside the image see
  int64_t channels, unit;
  const int32_t *sums;  // [pixels][units]: the group's first unit of the first pixel
  int64_t units;        // of a pixel, all groups together
  int32_t outside_sum;  // of a unit outside the image
};

// A chunk of positions over one group of channels.
struct strata_positions {
  // Where a position's columns are: under each tap, or in a row of its own. The other is null.
  const int8_t **taps;  // [tap_count][count]: the group's first channel under the tap
  const int8_t *rows;   // [count] rows of `pitch` bytes
  int64_t pitch;
  int64_t tap_count;
  int64_t channels;  // of the group, under each tap
  int64_t plane;     // bit-planes only: bytes from one plane of a pixel to the next
  int64_t first, count;
  int64_t group, groups;  // columns of a group, groups of columns
  int32_t *sums;          // [count][groups]: of the codes of each group of columns
  float *scale;           // [count]: value of one code
};

// Positions of a chunk of windows of `taps` taps: `outputs` in as even parts as tiles allow.
static inline int64_t strata_positions_chunk(int64_t taps, int64_t outputs) {
  int64_t fit = POSITIONS_BYTES / (taps * (int64_t)sizeof(int8_t *));
  int64_t tiles = strata_larger(strata_smaller(fit, POSITIONS_MOST) / POSITIONS_TILE, 1);
  int64_t chunks = strata_larger(strata_ceil_div(outputs, tiles * POSITIONS_TILE), 1);
  int64_t even = strata_larger(strata_ceil_div(outputs, chunks), 1);
  return strata_ceil_div(even, POSITIONS_TILE) * POSITIONS_TILE;
}

// Output columns [low, high) that see the image under a tap at column x * stride + offset.
struct strata_reach {
  int64_t offset, low, high;
};

static inline struct strata_reach strata_reach_of(int64_t stride, int64_t offset, int64_t width) {
  struct strata_reach reach = {
      .offset = offset,
      .low = offset >= 0 ? 0 : strata_ceil_div(-offset, stride),
      .high = width > offset ? strata_ceil_div(width - offset, stride) : 0};
  return reach;
}

// Neighbouring positions in one output row: `count` from column `x` on, the first of them at `at`
// of the chunk. Under the tap at hand those of [inside, outside) see the image; `pixel` is the
// index of what the first one would see.
struct strata_run {
  int64_t sample, y, x, count, at;
  int64_t inside, outside, pixel;
};

static inline void strata_find_taps(const struct strata_pixels *pixels,
                                    const struct strata_run *run, int64_t stride,
                                    const int8_t **taps) {
  int64_t i = 0;
  for (; i < run->inside; i++) {
    taps[i] = pixels->outside;
  }
  for (; i < run->outside; i++) {
    taps[i] = pixels->codes + (run->pixel + i * stride) * pixels->bytes;
  }
  for (; i < run->count; i++) {
    taps[i] = pixels->outside;
  }
}

// Adds one unit's sums to the run's sums, which are `pitch` apart.
static inline void strata_add_sums(const struct strata_pixels *pixels, const struct strata_run *run,
                                   int64_t stride, int64_t unit, int32_t *sums, int64_t pitch) {
  int64_t i = 0;
  for (; i < run->inside; i++) {
    sums[i * pitch] += pixels->outside_sum;
  }
  if (pitch == 1 && stride * pixels->units == 1) {  // a loop of vectors
    for (; i < run->outside; i++) {
      sums[i] += pixels->sums[run->pixel + i];
    }
  }
  for (; i < run->outside; i++) {
    sums[i * pitch] += pixels->sums[(run->pixel + i * stride) * pixels->units + unit];
  }
  for (; i < run->count; i++) {
    sums[i * pitch] += pixels->outside_sum;
  }
}

// One column of taps.
static inline void strata_find_run(const struct strata_window *s,
                                   const struct strata_pixels *pixels,
                                   const struct strata_reach *reach, int64_t kw,
                                   struct strata_run *run, struct strata_positions *x) {
  for (int64_t kh = 0; kh < s->kernel_height; kh++) {
    int64_t tap = kh * s->kernel_width + kw;
    int64_t y = strata_tap(run->y, kh, s->stride_height, s->dilation_height, s->pad_top);
    int above_or_below = y < 0 || y >= s->height;
    int64_t low = above_or_below ? run->count : strata_larger(0, reach->low - run->x);
    run->inside = strata_smaller(low, run->count);
    run->outside = strata_larger(run->inside, strata_smaller(reach->high - run->x, run->count));
    run->pixel =
        (run->sample * s->height + y) * s->width + run->x * s->stride_width + reach->offset;
    strata_find_taps(pixels, run, s->stride_width, x->taps + tap * x->count + run->at);
    for (int64_t c = 0; c < pixels->channels; c += pixels->unit) {
      int32_t *sums = x->sums + run->at * x->groups + (tap * pixels->channels + c) / x->group;
      strata_add_sums(pixels, run, s->stride_width, c / pixels->unit, sums, x->groups);
    }
  }
}

// Fills in the taps and sums of a chunk.
static inline void strata_positions_find(const struct strata_window *s,
                                         const struct strata_pixels *pixels,
                                         struct strata_positions *x) {
  memset(x->sums, 0, (size_t)(x->count * x->groups) * sizeof *x->sums);
  for (int64_t kw = 0; kw < s->kernel_width; kw++) {
    struct strata_reach reach =
        strata_reach_of(s->stride_width, kw * s->dilation_width - s->pad_left, s->width);
    struct strata_run run = {.sample = x->first / (s->out_height * s->out_width),
                             .y = x->first / s->out_width % s->out_height,
                             .x = x->first % s->out_width};
    for (; run.at < x->count; run.at += run.count) {
      run.count = strata_smaller(s->out_width - run.x, x->count - run.at);
      strata_find_run(s, pixels, &reach, kw, &run, x);
      run.x = 0;
      if (++run.y == s->out_height) {
        run.y = 0;
        run.sample++;
      }
    }
  }
}

#endif
