// Convolution: a matrix product whose activation rows are never laid out. A row of the product is
// a window position; its columns lie tap after tap where the image has them, and a table of
// addresses says where. conv.c makes the tables, a chunk of positions at a time; a row of conv.inc
// multiplies.
#ifndef STRATA_CONV_H
#define STRATA_CONV_H

#include "conv/positions.h"
#include "isa.h"

// Every row of `w` at every position, up to activations that are no clamp. Columns beyond the taps
// are zero. scratch: strata_conv_row_bytes(w, x->count), 64-byte aligned.
typedef void strata_conv_row(const struct strata_weights *w, const struct strata_positions *x,
                             const struct strata_epilogue *e, void *scratch);

// Bytes of the codes of 32 weight rows.
static inline int64_t strata_conv_codes(const struct strata_weights *w) { return 32 * w->columns; }

// Codes, and for each position three numbers at most of each group.
static inline int64_t strata_conv_row_bytes(const struct strata_weights *w, int64_t count) {
  return strata_conv_codes(w) + count * (w->columns / w->group) * 3 * 4;
}

#define CONV(isa, name) strata_conv_row name;
#include "conv/conv.inc"
#undef CONV

void strata_conv_select(uint32_t isa);

#endif
