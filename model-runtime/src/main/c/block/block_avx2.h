// The blocked product of AVX2 for whoever lays activation rows out.
#ifndef STRATA_BLOCK_AVX2_H
#define STRATA_BLOCK_AVX2_H

#include "strata.h"

// As strata_block, with `pitch` bytes from one row of codes to the next.
void strata_block_pitched_avx2(const struct strata_weights *w, const struct strata_rows *x,
                               int64_t pitch, const struct strata_epilogue *e, void *scratch);

#endif
