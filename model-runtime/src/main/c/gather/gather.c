#include "gather/gather.h"

static const struct {
  uint32_t isa;
  strata_gather_row *run;
} table[] = {
#define GATHER(isa, name) {isa, name},
#include "gather/gather.inc"
#undef GATHER
};

static strata_gather_row *chosen = strata_gather_wb_x1__scalar;

void strata_gather_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_gather(const struct strata_weights *w, const int64_t *ids, int64_t count, int64_t width,
                   float *out, int64_t out_stride) {
  chosen(w, ids, count, width, out, out_stride);
}
