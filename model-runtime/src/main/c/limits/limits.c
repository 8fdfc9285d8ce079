#include "limits/limits.h"

static const struct {
  uint32_t isa;
  const struct strata_limits_row *run;
} table[] = {
#define LIMITS(isa, name) {isa, &name},
#include "limits/limits.inc"
#undef LIMITS
};

static const struct strata_limits_row *chosen = &strata_limits__scalar;

void strata_limits_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

int64_t strata_limit_dots(int64_t rounds) { return chosen->dots(rounds); }

int64_t strata_limit_floats(int64_t rounds) { return chosen->floats(rounds); }

int64_t strata_limit_ones(int64_t rounds) { return chosen->ones(rounds); }

int64_t strata_limit_read(const void *x, int64_t bytes) { return (int64_t)chosen->read(x, bytes); }
