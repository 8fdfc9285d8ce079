#include "codebook/codebook.h"

#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_codebook_row *run;
} table[] = {
#define CODEBOOK(isa, name) {isa, name},
#include "codebook/codebook.inc"
#undef CODEBOOK
};

static strata_codebook_row *chosen = strata_codebook_wba8_x1__scalar;

void strata_codebook_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_codebook(const struct strata_weights *w, const int8_t *codebook,
                     const struct strata_rows *x, const struct strata_epilogue *e, void *scratch) {
  chosen(w, codebook, x, e, scratch);
  strata_epilogue_activate(e, 0, x->count, w->rows);
}
