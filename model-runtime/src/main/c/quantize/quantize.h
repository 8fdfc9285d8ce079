// Floats to activation codes, and codes to what the products need besides: group sums, planes.
#ifndef STRATA_QUANTIZE_H
#define STRATA_QUANTIZE_H

#include "isa.h"

// code = clamp(rint(x * inverse_scale) + zero_point, low, high)
struct strata_quantizer {
  float inverse_scale;
  int32_t zero_point, low, high;
};

// `rows` rows of `width` values, `x_stride` apart, to rows of `columns` codes: whole groups, zeros
// beyond the width.
struct strata_quantize_shape {
  int64_t x_stride, rows, width, columns, group;
};

// The loops of the family, as strata.h says what they do.
struct strata_quantize_row {
  void (*dynamic)(const float *x, const struct strata_quantize_shape *shape, int8_t *codes,
                  int32_t *sums, float *scale);
  void (*fixed)(const float *x, const struct strata_quantize_shape *shape,
                const struct strata_quantizer *q, int8_t *codes, int32_t *sums);
  void (*samples)(const float *x, int64_t samples, int64_t width, int8_t *codes, float *scale);
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

// sums[r][g] of codes [rows][columns].
void strata_group_sums(const int8_t *codes, int64_t rows, int64_t columns, int64_t group,
                       int32_t *sums);

#endif
