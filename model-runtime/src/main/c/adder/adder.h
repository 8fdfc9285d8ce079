// Sums of absolute differences of weights and activations, in place of their products.
#ifndef STRATA_ADDER_H
#define STRATA_ADDER_H

#include "isa.h"

typedef void strata_adder_row(const struct strata_weights *w, int64_t width,
                              const struct strata_rows *x, const struct strata_epilogue *e,
                              void *scratch);

#define ADDER(isa, name) strata_adder_row name;
#include "adder/adder.inc"
#undef ADDER

void strata_adder_select(uint32_t isa);

#endif
