#include "adder/adder.h"

#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_adder_row *run;
} table[] = {
#define ADDER(isa, name) {isa, name},
#include "adder/adder.inc"
#undef ADDER
};

static strata_adder_row *chosen = strata_adder_wba8_x1__scalar;

void strata_adder_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_adder(const struct strata_weights *w, int64_t width, const struct strata_rows *x,
                  const struct strata_epilogue *e, void *scratch) {
  chosen(w, width, x, e, scratch);
  strata_epilogue_activate(e, 0, x->count, w->rows);
}
