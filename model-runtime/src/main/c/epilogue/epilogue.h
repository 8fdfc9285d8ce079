// What follows a sum of products, the same behind every path:
//   y[m][c] = activation(t + bias[c] + residual[m][c])
// The kernels write the argument of the activation; once rows are complete, the activation runs
// over them in place, by the very code of strata_unary_f32.
#ifndef STRATA_EPILOGUE_H
#define STRATA_EPILOGUE_H

#include <math.h>

#include "strata.h"

// Sums of one output over its groups: t = fma(scale, a1, offset * a2).
static inline float strata_combine(float scale, float a1, float offset, float a2) {
  return fmaf(scale, a1, offset * a2);
}

static inline void strata_store(const struct strata_epilogue *e, int64_t m, int64_t c, float t) {
  float y = t + e->bias[c];
  if (e->residual) {
    y += e->residual[m * e->residual_stride + c];
  }
  e->out[m * e->out_stride + c] = y;
}

// Applies the activation to rows [first, first + count) of `width` stored values.
void strata_epilogue_activate(const struct strata_epilogue *e, int64_t first, int64_t count,
                              int64_t width);

// The epilogue of a part of the output that begins at row `m`, column `c`, bias at `padded_c`.
struct strata_epilogue strata_epilogue_part(const struct strata_epilogue *e, int64_t m, int64_t c,
                                            int64_t padded_c);

#endif
