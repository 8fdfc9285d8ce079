#include "block/block.h"

#include "block/tiling.h"
#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_block_row *run;
} table[] = {
#define BLOCK(isa, name) {isa, name},
#include "block/block.inc"
#undef BLOCK
};

static strata_block_row *chosen = strata_block_wba8_x1__scalar;

void strata_block_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

// One size that serves every row of the table, so that a plan outlives a change of the choice.
int64_t strata_block_scratch(const struct strata_weights *w) {
  int64_t tiles = strata_block_bytes(w);
  return tiles > w->columns ? tiles : w->columns;
}

void strata_block(const struct strata_weights *w, const struct strata_rows *x,
                  const struct strata_epilogue *e, void *scratch) {
  chosen(w, x, e, scratch);
  strata_epilogue_activate(e, 0, x->count, w->rows);
}
