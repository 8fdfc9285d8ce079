// Rows of a layered matrix as floats: the lookup of an embedding.
#ifndef STRATA_GATHER_H
#define STRATA_GATHER_H

#include "isa.h"

typedef void strata_gather_row(const struct strata_weights *w, const int64_t *ids, int64_t count,
                               int64_t width, float *out, int64_t out_stride);

#define GATHER(isa, name) strata_gather_row name;
#include "gather/gather.inc"
#undef GATHER

void strata_gather_select(uint32_t isa);

#endif
