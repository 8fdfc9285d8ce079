#include "depthwise/depthwise.h"

#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"

struct row {
  strata_depthwise_row *run;
  int clamps;
};

static const struct {
  uint32_t isa;
  struct row run;
} table[] = {
#define DEPTHWISE(isa, name, clamps) {isa, {name, clamps}},
#include "depthwise/depthwise.inc"
#undef DEPTHWISE
};

static struct row chosen = {strata_depthwise_wba8_x1__scalar, 0};

void strata_depthwise_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_depthwise(const struct strata_weights *w, const struct strata_window *s,
                      const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                      const struct strata_epilogue *e) {
  chosen.run(w, s, x, x_scale, pad_codes, e);
  if (!chosen.clamps || !strata_is_clamp(e)) {
    strata_epilogue_activate(e, 0, s->samples * s->out_height * s->out_width, w->rows);
  }
}
