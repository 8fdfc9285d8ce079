// Floats to activation codes, and codes to what the products need besides: group sums, planes.
#ifndef STRATA_QUANTIZE_H
#define STRATA_QUANTIZE_H

#include "isa.h"

// code = clamp(rint(x * inverse_scale) + zero_point, low, high)
struct strata_quantizer {
  float inverse_scale;
  int32_t zero_point, low, high;
};

// The five loops of the family; rows and strides are walked in quantize.c.
struct strata_quantize_row {
  // max |x|; NaN counts as nothing.
  float (*largest)(const float *x, int64_t count);
  void (*codes)(const float *x, int64_t count, const struct strata_quantizer *q, int8_t *codes);
  // One pixel: code = clamp(rint(x * inverse_scale[c]) + zero_point[c], -128, 127).
  void (*channels)(const float *x, int64_t count, const float *inverse_scale,
                   const int8_t *zero_point, int8_t *codes);
  // sums[i] of `size` codes, a multiple of 16, one run of them after another.
  void (*sums)(const int8_t *codes, int64_t count, int64_t size, int32_t *sums);
  // 32 codes per word of each of `abits` planes, `blocks` words apart.
  void (*planes)(const int8_t *codes, int64_t blocks, int64_t abits, uint32_t *planes);
};

#define QUANTIZE(isa, name) extern const struct strata_quantize_row name;
#include "quantize/quantize.inc"
#undef QUANTIZE

void strata_quantize_select(uint32_t isa);

#endif
