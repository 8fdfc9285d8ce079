// Blocked matrix product: a tile of weights is unpacked once and used for a block of activation
// rows. Best for many rows, where time is the multiply-adds and not the bytes.
#ifndef STRATA_BLOCK_H
#define STRATA_BLOCK_H

#include "isa.h"

typedef void strata_block_row(const struct strata_weights *w, const struct strata_rows *x,
                              const struct strata_epilogue *e, void *scratch);

#define BLOCK(isa, name) strata_block_row name;
#include "block/block.inc"
#undef BLOCK

void strata_block_select(uint32_t isa);

#endif
