#include "block/block.h"
#include "lanes/uniform.h"
#define DECODE lanes_uniform_operand
#include "block/block_lanes.inc"

void strata_block_wba8_x6x16__neon(const struct strata_weights *w, const struct strata_rows *x,
                                   const struct strata_epilogue *e, void *scratch) {
  block_lanes(w, x, e, lanes_uniform(w), NULL, scratch);
}
