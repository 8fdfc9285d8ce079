#include "epilogue/epilogue.h"

#include "float/activation.h"

void strata_epilogue_activate(const struct strata_epilogue *e, int64_t first, int64_t count,
                              int64_t width) {
  if (e->activation == STRATA_IDENTITY) {
    return;
  }
  for (int64_t m = first; m < first + count; m++) {
    strata_activate_row(e->activation, (float)e->alpha, (float)e->beta, e->out + m * e->out_stride,
                        width);
  }
}

struct strata_epilogue strata_epilogue_part(const struct strata_epilogue *e, int64_t m, int64_t c,
                                            int64_t padded_c) {
  struct strata_epilogue part = *e;
  part.bias += padded_c;
  part.out += m * e->out_stride + c;
  if (part.residual) {
    part.residual += m * e->residual_stride + c;
  }
  return part;
}
