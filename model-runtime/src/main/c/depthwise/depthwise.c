#include "depthwise/depthwise.h"

#include "epilogue/epilogue.h"

static const struct {
  uint32_t isa;
  strata_depthwise_row *run;
} table[] = {
#define DEPTHWISE(isa, name) {isa, name},
#include "depthwise/depthwise.inc"
#undef DEPTHWISE
};

static strata_depthwise_row *chosen = strata_depthwise_wba8_x1__scalar;

void strata_depthwise_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_depthwise(const struct strata_weights *w, const struct strata_window *s,
                      const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                      const struct strata_epilogue *e) {
  chosen(w, s, x, x_scale, pad_codes, e);
  strata_epilogue_activate(e, 0, s->samples * s->out_height * s->out_width, w->rows);
}
