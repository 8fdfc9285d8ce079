#include "epilogue/epilogue.h"

void strata_epilogue_activate(const struct strata_epilogue *e, int64_t first, int64_t count,
                              int64_t width) {
  if (e->activation == STRATA_IDENTITY) {
    return;
  }
  if (e->out_stride == width) {
    float *rows = e->out + first * width;
    strata_unary_f32(e->activation, (float)e->alpha, (float)e->beta, rows, rows, count * width);
    return;
  }
  for (int64_t m = first; m < first + count; m++) {
    float *row = e->out + m * e->out_stride;
    strata_unary_f32(e->activation, (float)e->alpha, (float)e->beta, row, row, width);
  }
}

struct strata_epilogue strata_epilogue_part(const struct strata_epilogue *e, int64_t m, int64_t c,
                                            int64_t padded_c) {
  struct strata_epilogue part = *e;
  part.bias += padded_c;
  if (part.out) {
    part.out += m * e->out_stride + c;
  }
  if (part.residual) {
    part.residual += m * e->residual_stride + c;
  }
  return part;
}
