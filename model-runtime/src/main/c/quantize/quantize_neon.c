#include <arm_neon.h>
#include <string.h>

#include "quantize/quantize.h"

// The larger of most and |x|, most where x is NaN.
static float32x4_t larger(float32x4_t most, float32x4_t x) {
  float32x4_t size = vabsq_f32(x);
  return vbslq_f32(vcgtq_f32(size, most), size, most);
}

static inline float largest(const float *x, int64_t count) {
  float32x4_t most = vdupq_n_f32(0);
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    most = larger(most, vld1q_f32(x + i));
  }
  float tail[4] = {0};
  memcpy(tail, x + i, (size_t)(count - i) * sizeof *tail);
  return vmaxvq_f32(larger(most, vld1q_f32(tail)));
}

// Comparisons choose the bounds, as in the scalar row, so that NaN becomes `high`.
static int32x4_t code(float32x4_t x, const struct strata_quantizer *q) {
  float32x4_t low = vdupq_n_f32((float)(q->low - q->zero_point));
  float32x4_t high = vdupq_n_f32((float)(q->high - q->zero_point));
  float32x4_t scaled = vmulq_n_f32(x, q->inverse_scale);
  scaled = vbslq_f32(vcltq_f32(scaled, high), scaled, high);
  scaled = vbslq_f32(vcgtq_f32(scaled, low), scaled, low);
  return vaddq_s32(vcvtnq_s32_f32(scaled), vdupq_n_s32(q->zero_point));
}

static inline void codes(const float *x, int64_t count, const struct strata_quantizer *q,
                         int8_t *out) {
  for (int64_t i = 0; i < count; i += 8) {
    size_t part = count - i < 8 ? (size_t)(count - i) : 8;
    float values[8] = {0};
    memcpy(values, x + i, part * sizeof *values);
    int16x8_t both = vcombine_s16(vmovn_s32(code(vld1q_f32(values), q)),
                                  vmovn_s32(code(vld1q_f32(values + 4), q)));
    int8_t bytes[8];
    vst1_s8(bytes, vmovn_s16(both));
    memcpy(out + i, bytes, part);
  }
}

// Each channel has bounds of its own: the codes' range around its zero point.
static int32x4_t channel_code(float32x4_t x, float32x4_t inverse_scale, int32x4_t zero_point) {
  float32x4_t low = vcvtq_f32_s32(vsubq_s32(vdupq_n_s32(INT8_MIN), zero_point));
  float32x4_t high = vcvtq_f32_s32(vsubq_s32(vdupq_n_s32(INT8_MAX), zero_point));
  float32x4_t scaled = vmulq_f32(x, inverse_scale);
  scaled = vbslq_f32(vcltq_f32(scaled, high), scaled, high);
  scaled = vbslq_f32(vcgtq_f32(scaled, low), scaled, low);
  return vaddq_s32(vcvtnq_s32_f32(scaled), zero_point);
}

static void channels(const float *x, int64_t count, const float *inverse_scale,
                     const int8_t *zero_point, int8_t *out) {
  for (int64_t i = 0; i < count; i += 8) {
    size_t part = count - i < 8 ? (size_t)(count - i) : 8;
    float values[8] = {0}, scales[8] = {0};
    int8_t bytes[8] = {0};
    memcpy(values, x + i, part * sizeof *values);
    memcpy(scales, inverse_scale + i, part * sizeof *scales);
    memcpy(bytes, zero_point + i, part);
    int16x8_t zeros = vmovl_s8(vld1_s8(bytes));
    int32x4_t first =
        channel_code(vld1q_f32(values), vld1q_f32(scales), vmovl_s16(vget_low_s16(zeros)));
    int32x4_t second =
        channel_code(vld1q_f32(values + 4), vld1q_f32(scales + 4), vmovl_s16(vget_high_s16(zeros)));
    vst1_s8(bytes, vmovn_s16(vcombine_s16(vmovn_s32(first), vmovn_s32(second))));
    memcpy(out + i, bytes, part);
  }
}

static inline int32_t sum(const int8_t *codes, int64_t count) {
  int32x4_t total = vdupq_n_s32(0);
  for (int64_t i = 0; i < count; i += 16) {
    total = vdotq_s32(total, vld1q_s8(codes + i), vdupq_n_s8(1));
  }
  return vaddvq_s32(total);
}

static inline void sums(const int8_t *codes, int64_t count, int64_t size, int32_t *sums) {
  for (int64_t i = 0; i < count; i++) {
    sums[i] = sum(codes + i * size, size);
  }
}

// Four bytes of a word come from the columns 4i, 4i + 1, 4i + 2, 4i + 3: vld4 takes them apart, and
// bit t of 8 codes is a byte of the word of plane t.
static void planes(const int8_t *codes, int64_t blocks, int64_t abits, uint32_t *planes) {
  const uint8x8_t place = vcreate_u8(0x8040201008040201);
  for (int64_t k = 0; k < blocks; k++) {
    uint8x8x4_t apart = vld4_u8((const uint8_t *)codes + k * STRATA_BLOCK_COLUMNS);
    for (int64_t t = 0; t < abits; t++) {
      uint8x8_t bit = vdup_n_u8((uint8_t)(1 << t));
      uint32_t word = 0;
      for (int i = 0; i < 4; i++) {
        uint8x8_t ones = vand_u8(vtst_u8(apart.val[i], bit), place);
        word |= (uint32_t)vaddv_u8(ones) << (8 * i);
      }
      planes[t * blocks + k] = word;
    }
  }
}

#include "quantize/rows.inc"

const struct strata_quantize_row strata_quantize_f32_x4__neon = STRATA_QUANTIZE_TABLE;
