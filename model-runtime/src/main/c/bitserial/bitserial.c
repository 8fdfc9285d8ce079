#include "bitserial/bitserial.h"

#include "block/block.h"
#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_bitserial_row *run;
} table[] = {
#define BITSERIAL(isa, name) {isa, name},
#include "bitserial/bitserial.inc"
#undef BITSERIAL
};

static strata_bitserial_row *chosen = strata_bitserial_wbab_x32__scalar;

void strata_bitserial_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

// One size that serves every row of the table.
int64_t strata_bitserial_scratch(const struct strata_weights *w) {
  return strata_bitserial_codes(w) + strata_block_scratch(w);
}

void strata_bitserial(const struct strata_weights *w, const struct strata_rows *x, int64_t abits,
                      const struct strata_epilogue *e, void *scratch) {
  chosen(w, x, abits, e, scratch);
  strata_epilogue_activate(e, 0, x->count, w->rows);
}
