#include "stream/stream.h"

#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_stream_row *run;
} table[] = {
#define STREAM(isa, name) {isa, name},
#include "stream/stream.inc"
#undef STREAM
};

static strata_stream_row *chosen = strata_stream_wba8_x1__scalar;

void strata_stream_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_stream(const struct strata_weights *w, const struct strata_rows *x,
                   const struct strata_epilogue *e) {
  chosen(w, x, e);
  strata_epilogue_activate(e, 0, x->count, w->rows);
}
