// Window positions as a matrix product reads them: for each tap the address of the pixel under it.
#ifndef STRATA_CONV_POSITIONS_H
#define STRATA_CONV_POSITIONS_H

#include "strata.h"

enum {
  POSITIONS_TILE = 12,         // chunks are whole tiles of the widest row
  POSITIONS_MOST = 480,        // of a chunk, so that pixels and results stay in a level 2 cache
  POSITIONS_BYTES = 64 << 10,  // of a chunk's table, for the same reason
};

// A chunk of positions over one group of channels.
struct strata_positions {
  const int8_t **taps;  // [tap_count][count]: the group's first channel under the tap
  int64_t tap_count;
  int64_t channels;  // of the group, under each tap
  int64_t count;
  int32_t *sums;  // [count][groups]: of the codes of each group of columns
  float *scale;   // [count]: value of one code
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

// Positions of a chunk of windows of `taps` taps over `outputs` positions.
int64_t strata_positions_chunk(int64_t taps, int64_t outputs);

// Fills in taps and sums of the positions [first, first + x->count), for weights whose groups of
// columns are `group` long.
void strata_positions_find(const struct strata_window *s, const struct strata_pixels *pixels,
                           int64_t first, int64_t group, int64_t groups,
                           struct strata_positions *x);

#endif
