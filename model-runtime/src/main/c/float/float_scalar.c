// Plain C: every other row returns exactly this.
#include <string.h>

#include "activation.h"
#include "float.h"
#include "nest.h"

typedef float vec;
enum { LANES = 1, TILE_ROWS = 4, TILE_VECTORS = 4 };

static inline vec vec_zero(void) { return 0.0f; }
static inline vec vec_load(const float *x) { return *x; }
static inline vec vec_load_first(const float *x, int64_t count) { return count > 0 ? *x : 0.0f; }
static inline void vec_store(float *x, vec v) { *x = v; }
static inline vec vec_broadcast(float x) { return x; }
static inline vec vec_fma(vec a, vec b, vec c) { return __builtin_fmaf(a, b, c); }
static inline vec vec_add(vec a, vec b) { return a + b; }
static inline vec vec_sub(vec a, vec b) { return a - b; }
static inline vec vec_mul(vec a, vec b) { return a * b; }
static inline vec vec_larger(vec a, vec b) {
  float most = a < b ? b : a;
  return b != b ? b : most;
}
// The lanes of one vector by halves; here a vector is one lane.
static inline float vec_halves_sum(vec v) { return v; }
static inline float vec_halves_larger(vec v) { return v; }

static inline void turn(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
  (void)x_stride;
  (void)y_stride;
  memcpy(y, x, sizeof *y);
}

#include "bodies.inc"

const struct strata_float_kernels strata_float__scalar = STRATA_FLOAT_TABLE;
