// Convolution: a matrix product whose activation rows are never laid out all at once. A row of the
// product is a window position; its columns lie tap after tap where the image has them, and a table
// of addresses says where, or a chunk of positions is laid out. conv.c cuts the positions into
// chunks; a row of conv.inc makes a chunk's table or reads its rows, and multiplies.
#ifndef STRATA_CONV_H
#define STRATA_CONV_H

#include "conv/positions.h"
#include "isa.h"

struct strata_conv_row {
  // Fills in the table of addresses and the sums; null where the row wants positions laid out as
  // rows and sums them itself.
  void (*find)(const struct strata_window *s, const struct strata_pixels *pixels,
               struct strata_positions *x);
  // Every row of `w` at every position, up to activations that are no clamp. Columns beyond the
  // taps are zero. scratch: strata_conv_row_bytes for a blocked product, 64-byte aligned.
  void (*run)(const struct strata_weights *w, const struct strata_positions *x,
              const struct strata_epilogue *e, void *scratch);
  // Where positions are laid out: rows are strata_conv_pitch(w) bytes, or else w->columns.
  int whole_steps;
};

// Bit-planes of pixels: words of 32 channels in the weight planes' bit order, each pixel
// [planes][words].
struct strata_conv_planes_row {
  // sums[i] of the codes of `words` words of pixel after pixel.
  void (*sum)(const uint32_t *planes, int64_t pixels, int64_t pixel_words, int64_t abits,
              int64_t words, int32_t *sums);
  // As above, for a bit-serial product.
  void (*run)(const struct strata_weights *w, const struct strata_positions *x, int64_t abits,
              const struct strata_epilogue *e, void *scratch);
};

enum {
  CONV_STEP = 64,               // columns that a row of the table may read at a time
  CONV_ROWS_BYTES = 512 << 10,  // of positions as rows, so that they stay in a level 2 cache
};

// Columns of a position as a row: half a step, or filled up to whole steps with zeros.
static inline int64_t strata_conv_pitch(const struct strata_weights *w) {
  int64_t steps = strata_ceil_div(w->columns, CONV_STEP);
  return w->columns > CONV_STEP / 2 ? steps * CONV_STEP : CONV_STEP / 2;
}

// Bytes of the codes of 32 weight rows.
static inline int64_t strata_conv_codes(const struct strata_weights *w) {
  return 32 * strata_conv_pitch(w);
}

// A number for each group of each position, in whole cache lines.
static inline int64_t strata_conv_scale_bytes(const struct strata_weights *w, int64_t count) {
  return strata_ceil_div(count * (w->columns / w->group) * 4, 64) * 64;
}

// The scale of each group of each position.
static inline void strata_conv_scales(const struct strata_positions *x, float *scales) {
  for (int64_t m = 0; m < x->count; m++) {
    for (int64_t g = 0; g < x->groups; g++) {
      scales[m * x->groups + g] = x->scale[m];
    }
  }
}

// Codes, and for each position three numbers at most of each group; or the scales of a blocked or a
// bit-serial product and what that needs.
static inline int64_t strata_conv_row_bytes(const struct strata_weights *w, int64_t count,
                                            int64_t product) {
  int64_t numbers = strata_conv_scale_bytes(w, count);
  return strata_larger(strata_conv_codes(w) + 3 * numbers, numbers + product);
}

#define CONV(isa, name) extern const struct strata_conv_row name;
#define CONV_PLANES(isa, name) extern const struct strata_conv_planes_row name;
#include "conv/conv.inc"
#undef CONV
#undef CONV_PLANES

void strata_conv_select(uint32_t isa);

#endif
