#include <arm_neon.h>
#include <string.h>

#include "activation.h"
#include "float.h"
#include "nest.h"

typedef float32x4_t vec;
enum { LANES = 4, TILE_ROWS = 6, TILE_VECTORS = 4 };

static inline vec vec_zero(void) { return vdupq_n_f32(0); }
static inline vec vec_load(const float *x) { return vld1q_f32(x); }
// The first `count` values and zeros; reads no others.
static inline vec vec_load_first(const float *x, int64_t count) {
  float first[LANES] = {0};
  memcpy(first, x, (size_t)count * sizeof *first);
  return vld1q_f32(first);
}
static inline void vec_store(float *x, vec v) { vst1q_f32(x, v); }
static inline vec vec_broadcast(float x) { return vdupq_n_f32(x); }
static inline vec vec_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
static inline vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
static inline vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
static inline vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
static inline vec vec_larger(vec a, vec b) {
  vec most = vbslq_f32(vcltq_f32(a, b), b, a);  // a where one is NaN
  return vbslq_f32(vceqq_f32(b, b), most, b);
}

// The lanes of one vector by halves; not used, since a row's sixteen lanes are four vectors here.
static inline float vec_halves_sum(vec v) { return vgetq_lane_f32(v, 0); }
static inline float vec_halves_larger(vec v) { return vgetq_lane_f32(v, 0); }

// y[i][j] = x[j][i] for 4 x 4: pairs, then halves change places.
static inline void turn(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
  float32x4x2_t first = vtrnq_f32(vld1q_f32(x), vld1q_f32(x + x_stride));
  float32x4x2_t second = vtrnq_f32(vld1q_f32(x + 2 * x_stride), vld1q_f32(x + 3 * x_stride));
  for (int i = 0; i < 2; i++) {
    vec top = vcombine_f32(vget_low_f32(first.val[i]), vget_low_f32(second.val[i]));
    vec bottom = vcombine_f32(vget_high_f32(first.val[i]), vget_high_f32(second.val[i]));
    vst1q_f32(y + i * y_stride, top);
    vst1q_f32(y + (i + 2) * y_stride, bottom);
  }
}

#include "bodies.inc"

const struct strata_float_kernels strata_float__neon = STRATA_FLOAT_TABLE;
