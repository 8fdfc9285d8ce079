// Bit-serial matrix product: planes of both operands meet by AND and a population count. Wins over
// the 8-bit paths where (planes of weights) x (planes of activations) <= 4.
#ifndef STRATA_BITSERIAL_H
#define STRATA_BITSERIAL_H

#include "isa.h"

enum {
  BITSERIAL_CODED_ROWS = 128
};  // that are made codes of at a time, where a row of the table does that

// Their bytes.
static inline int64_t strata_bitserial_codes(const struct strata_weights *w) {
  return BITSERIAL_CODED_ROWS * w->columns;
}

// x->codes holds [count][abits][columns/32] 32-bit words.
typedef void strata_bitserial_row(const struct strata_weights *w, const struct strata_rows *x,
                                  int64_t abits, const struct strata_epilogue *e, void *scratch);

#define BITSERIAL(isa, name) strata_bitserial_row name;
#include "bitserial/bitserial.inc"
#undef BITSERIAL

void strata_bitserial_select(uint32_t isa);

#endif
