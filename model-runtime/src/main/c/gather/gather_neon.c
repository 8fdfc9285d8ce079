#include <arm_neon.h>
#include <string.h>

#include "gather/gather.h"
#include "weights.h"

// The 32 codes of one row in one block, in the order of columns: byte t of the word has the columns
// t, t + 4, t + 8 ..., one a bit, so the four bytes are spread to bits and stored interleaved.
static void codes(const struct strata_weights *w, int64_t word, uint8_t out[STRATA_BLOCK_COLUMNS]) {
  const uint8x8_t place = vcreate_u8(0x8040201008040201);
  uint8x8x4_t lanes = {{vdup_n_u8(0), vdup_n_u8(0), vdup_n_u8(0), vdup_n_u8(0)}};
  for (int64_t p = 0; p < w->bits; p++) {
    uint8x8_t worth = vdup_n_u8((uint8_t)(0x80 >> p));
    for (int t = 0; t < 4; t++) {
      uint8x8_t ones = vtst_u8(vdup_n_u8(w->planes[p][word + t]), place);
      lanes.val[t] = vorr_u8(lanes.val[t], vand_u8(ones, worth));
    }
  }
  vst4_u8(out, lanes);
}

static inline void store_block(const struct strata_weights *w, int64_t word, float scale,
                               float offset, float *y, int64_t left) {
  const int32x4_t centre = vdupq_n_s32(strata_centre(w));
  const float32x4_t by = vdupq_n_f32(scale), from = vdupq_n_f32(offset);
  uint8_t block[STRATA_BLOCK_COLUMNS];
  codes(w, word, block);
  float values[STRATA_BLOCK_COLUMNS];
  for (int k = 0; k < STRATA_BLOCK_COLUMNS; k += 8) {
    uint16x8_t twice = vshll_n_u8(vld1_u8(block + k), 1);
    int32x4_t first = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(twice)));
    int32x4_t second = vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(twice)));
    first = vsubq_s32(first, centre);
    second = vsubq_s32(second, centre);
    vst1q_f32(values + k, vfmaq_f32(from, by, vcvtq_f32_s32(first)));
    vst1q_f32(values + k + 4, vfmaq_f32(from, by, vcvtq_f32_s32(second)));
  }
  int64_t used = left < STRATA_BLOCK_COLUMNS ? left : STRATA_BLOCK_COLUMNS;
  memcpy(y, values, (size_t)used * sizeof *values);
}

#include "gather/rows.inc"

void strata_gather_wb_x32__neon(const struct strata_weights *w, const int64_t *ids, int64_t count,
                                int64_t width, float *out, int64_t out_stride) {
  gather(w, ids, count, width, out, out_stride);
}
