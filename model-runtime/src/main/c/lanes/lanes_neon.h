// The registers of AArch64 with the dot product extension: 4 weight rows at a time, a panel in 4
// parts. docs/kernels.md ("Lanes") says what each name means.
#ifndef STRATA_LANES_NEON_H
#define STRATA_LANES_NEON_H

#include <arm_neon.h>
#include <stddef.h>

#include "strata.h"

#define STRATA_INLINE static inline __attribute__((always_inline))

#define LANES_TILE_ROWS 6

enum {
  LANES = 4,
  PARTS = STRATA_PANEL_ROWS / LANES,
  TILE_ROWS = LANES_TILE_ROWS,
  TILE_PANELS = 1,
  EXACT_DOT = 1,
  OPERAND_BIAS = 128,  // sdot multiplies signed bytes
};

typedef uint8x16_t lanes_bytes;
typedef int32x4_t lanes_int;
typedef float32x4_t lanes_float;

STRATA_INLINE lanes_bytes lanes_load_bytes(const void *at) { return vld1q_u8(at); }
STRATA_INLINE void lanes_store_bytes(void *at, lanes_bytes v) { vst1q_u8(at, v); }
STRATA_INLINE lanes_bytes lanes_quad(const void *four_bytes) {
  uint32_t word;
  __builtin_memcpy(&word, four_bytes, sizeof word);
  return vreinterpretq_u8_u32(vdupq_n_u32(word));
}

STRATA_INLINE lanes_int lanes_set(int32_t value) { return vdupq_n_s32(value); }
STRATA_INLINE lanes_int lanes_load(const int32_t *at) { return vld1q_s32(at); }
STRATA_INLINE void lanes_store(int32_t *at, lanes_int v) { vst1q_s32(at, v); }
STRATA_INLINE lanes_int lanes_add(lanes_int a, lanes_int b) { return vaddq_s32(a, b); }
STRATA_INLINE lanes_int lanes_sub(lanes_int a, lanes_int b) { return vsubq_s32(a, b); }
STRATA_INLINE lanes_int lanes_mul(lanes_int a, lanes_int b) { return vmulq_s32(a, b); }
STRATA_INLINE lanes_int lanes_left(lanes_int a, int bits) {
  return vshlq_s32(a, vdupq_n_s32(bits));
}

STRATA_INLINE lanes_float lanes_floats(lanes_int a) { return vcvtq_f32_s32(a); }
STRATA_INLINE lanes_float lanes_set_float(float value) { return vdupq_n_f32(value); }
STRATA_INLINE lanes_float lanes_load_float(const float *at) { return vld1q_f32(at); }
STRATA_INLINE void lanes_store_float(float *at, lanes_float v) { vst1q_f32(at, v); }
STRATA_INLINE lanes_float lanes_mul_float(lanes_float a, lanes_float b) { return vmulq_f32(a, b); }
STRATA_INLINE lanes_float lanes_fma(lanes_float a, lanes_float b, lanes_float c) {
  return vfmaq_f32(c, a, b);
}

STRATA_INLINE lanes_int lanes_dot(lanes_int acc, lanes_bytes operand, lanes_bytes q, int wide) {
  (void)wide;
  return vdotq_s32(acc, vreinterpretq_s8_u8(operand), vreinterpretq_s8_u8(q));
}

STRATA_INLINE lanes_int lanes_sum(lanes_int acc, lanes_bytes q) {
  return vdotq_s32(acc, vdupq_n_s8(1), vreinterpretq_s8_u8(q));
}

STRATA_INLINE lanes_int lanes_add_ones(lanes_int acc, lanes_bytes a, lanes_bytes b, int shift) {
  uint8x16_t ones = vcntq_u8(vandq_u8(a, b));
  int32x4_t counts = vreinterpretq_s32_u32(vpaddlq_u16(vpaddlq_u8(ones)));
  return vaddq_s32(acc, lanes_left(counts, shift));
}

// One step of the butterfly: fields of `shift` bits of x and y become fields of twice the width, x
// above y; `low` gets the even fields, `high` the odd ones.
STRATA_INLINE void lanes_merge(uint8x16_t x, uint8x16_t y, int shift, uint8_t upper,
                               uint8x16_t *low, uint8x16_t *high) {
  uint8x16_t mask = vdupq_n_u8(upper);
  int8x16_t left = vdupq_n_s8((int8_t)shift);
  *low = vbslq_u8(mask, vshlq_u8(x, left), y);
  *high = vbslq_u8(mask, x, vshlq_u8(y, vnegq_s8(left)));
}

STRATA_INLINE void lanes_nibbles(const uint8_t *const *planes, int64_t at, int count,
                                 uint8x16_t nibble[4]) {
  uint8x16_t p[4], even, odd, even2, odd2;
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    p[i] = i < count ? vld1q_u8(planes[i] + at) : vdupq_n_u8(0);
  }
  lanes_merge(p[0], p[1], 1, 0xaa, &even, &odd);
  lanes_merge(p[2], p[3], 1, 0xaa, &even2, &odd2);
  lanes_merge(even, even2, 2, 0xcc, &nibble[0], &nibble[2]);
  lanes_merge(odd, odd2, 2, 0xcc, &nibble[1], &nibble[3]);
}

STRATA_INLINE void lanes_codes(const uint8_t *const *planes, int64_t at, int bits,
                               lanes_bytes codes[8]) {
  uint8x16_t upper[4], lower[4];
  lanes_nibbles(planes, at, bits, upper);
  if (bits > 4) {
    lanes_nibbles(planes + 4, at, bits - 4, lower);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    lanes_merge(upper[i], bits > 4 ? lower[i] : vdupq_n_u8(0), 4, 0xf0, &codes[i], &codes[i + 4]);
  }
}

STRATA_INLINE lanes_bytes lanes_operand(lanes_bytes codes, int bits) {
  (void)bits;
  return veorq_u8(codes, vdupq_n_u8(0x80));
}

struct lanes_table {
  uint8x16x4_t entries[4];
};

STRATA_INLINE struct lanes_table lanes_table(const uint8_t entries[256]) {
  struct lanes_table table;
  for (int i = 0; i < 16; i++) {
    table.entries[i / 4].val[i % 4] = vld1q_u8(entries + 16 * i);
  }
  return table;
}

// An index has 6 bits; of the further tables, each changes only what falls into it.
STRATA_INLINE lanes_bytes lanes_lookup(lanes_bytes codes, int bits,
                                       const struct lanes_table *table) {
  uint8x16_t index = vshlq_u8(codes, vdupq_n_s8((int8_t)(bits - 8)));
  uint8x16_t found = vqtbl4q_u8(table->entries[0], index);
  for (int i = 1; i < 1 << bits >> 6; i++) {
    index = vsubq_u8(index, vdupq_n_u8(64));
    found = vqtbx4q_u8(found, table->entries[i], index);
  }
  return found;
}

// Sums of absolute differences: 4 columns a register, as in codes. The difference of two signed
// bytes fits an unsigned one.
enum { SAD_COLUMNS = 4, SAD_ROWS = 6 };

STRATA_INLINE void lanes_sad_operands(const lanes_bytes codes[8], uint8_t middle, uint8_t *out,
                                      int64_t step_bytes) {
  for (int i = 0; i < 8; i++) {
    uint8x16_t whole = vorrq_u8(codes[i], vdupq_n_u8(middle));
    lanes_store_bytes(out + i * step_bytes, veorq_u8(whole, vdupq_n_u8(0x80)));
  }
}

STRATA_INLINE lanes_bytes lanes_sad_activations(const int8_t *q) { return lanes_quad(q); }

STRATA_INLINE lanes_int lanes_sad(lanes_int acc, lanes_bytes operand, lanes_bytes q) {
  int8x16_t apart = vabdq_s8(vreinterpretq_s8_u8(operand), vreinterpretq_s8_u8(q));
  uint32x4_t sum = vreinterpretq_u32_s32(acc);
  sum = vdotq_u32(sum, vreinterpretq_u8_s8(apart), vdupq_n_u8(1));
  return vreinterpretq_s32_u32(sum);
}

STRATA_INLINE lanes_int lanes_sad_total(const lanes_int sums[1]) { return sums[0]; }

STRATA_INLINE lanes_float lanes_scale_codes(const uint8_t *group, int part) {
  uint32_t word;
  __builtin_memcpy(&word, group + LANES * part, sizeof word);
  uint16x4_t wide = vget_low_u16(vmovl_u8(vcreate_u8(word)));
  return vcvtq_f32_u32(vmovl_u16(wide));
}

STRATA_INLINE lanes_float lanes_offset_codes(const uint8_t *group, int part) {
  uint32_t word;
  __builtin_memcpy(&word, group + STRATA_PANEL_ROWS + LANES * part, sizeof word);
  int16x4_t wide = vget_low_s16(vmovl_s8(vreinterpret_s8_u8(vcreate_u8(word))));
  return vcvtq_f32_s32(vmovl_s16(wide));
}

STRATA_INLINE void lanes_store_rows(const struct strata_epilogue *e, int64_t rows, int64_t m,
                                    int64_t c, lanes_float t) {
  float *out = e->out + m * e->out_stride + c;
  const float *residual = e->residual ? e->residual + m * e->residual_stride + c : NULL;
  float32x4_t y = vaddq_f32(t, vld1q_f32(e->bias + c));
  if (rows - c >= LANES) {
    vst1q_f32(out, residual ? vaddq_f32(y, vld1q_f32(residual)) : y);
    return;
  }
  float values[LANES];
  vst1q_f32(values, y);
  for (int64_t i = 0; i < rows - c; i++) {
    out[i] = residual ? values[i] + residual[i] : values[i];
  }
}

// Four taps of 16 channels to one operand for each part: byte 4c + t is channel c under tap t.
STRATA_INLINE void lanes_interleave(const int8_t *const *taps, lanes_bytes quads[PARTS]) {
  int8x16x2_t even = vzipq_s8(vld1q_s8(taps[0]), vld1q_s8(taps[2]));
  int8x16x2_t odd = vzipq_s8(vld1q_s8(taps[1]), vld1q_s8(taps[3]));
  for (int half = 0; half < 2; half++) {
    int8x16x2_t both = vzipq_s8(even.val[half], odd.val[half]);
    quads[2 * half] = vreinterpretq_u8_s8(both.val[0]);
    quads[2 * half + 1] = vreinterpretq_u8_s8(both.val[1]);
  }
}

#endif
