#include <math.h>
#include <string.h>

#include "quantize/quantize.h"

static inline float largest(const float *x, int64_t count) {
  float most = 0;
  for (int64_t i = 0; i < count; i++) {
    float size = fabsf(x[i]);
    most = size > most ? size : most;
  }
  return most;
}

// The bounds are whole numbers, so clamping before rounding gives the same. NaN becomes `high`.
static inline void codes(const float *x, int64_t count, const struct strata_quantizer *q,
                         int8_t *out) {
  float low = (float)(q->low - q->zero_point);
  float high = (float)(q->high - q->zero_point);
  for (int64_t i = 0; i < count; i++) {
    float scaled = x[i] * q->inverse_scale;
    scaled = scaled < high ? scaled : high;
    scaled = scaled > low ? scaled : low;
    out[i] = (int8_t)((int32_t)rintf(scaled) + q->zero_point);
  }
}

static void channels(const float *x, int64_t count, const float *inverse_scale,
                     const int8_t *zero_point, int8_t *out) {
  for (int64_t i = 0; i < count; i++) {
    struct strata_quantizer q = {inverse_scale[i], zero_point[i], INT8_MIN, INT8_MAX};
    codes(x + i, 1, &q, out + i);
  }
}

static inline int32_t sum(const int8_t *codes, int64_t count) {
  int32_t total = 0;
  for (int64_t i = 0; i < count; i++) {
    total += codes[i];
  }
  return total;
}

static inline void sums(const int8_t *codes, int64_t count, int64_t size, int32_t *sums) {
  for (int64_t i = 0; i < count; i++) {
    sums[i] = sum(codes + i * size, size);
  }
}

static void planes(const int8_t *codes, int64_t blocks, int64_t abits, uint32_t *planes) {
  for (int64_t t = 0; t < abits; t++) {
    for (int64_t k = 0; k < blocks; k++) {
      uint32_t word = 0;
      for (int64_t j = 0; j < STRATA_BLOCK_COLUMNS; j++) {
        uint32_t bit = (uint8_t)codes[k * STRATA_BLOCK_COLUMNS + j] >> t & 1;
        word |= bit << (j % 4 * 8 + j / 4);
      }
      planes[t * blocks + k] = word;
    }
  }
}

#include "quantize/rows.inc"

const struct strata_quantize_row strata_quantize_f32_x1__scalar = STRATA_QUANTIZE_TABLE;
