// Activations that only bound a value: kernels apply them before the value is stored.
#ifndef STRATA_EPILOGUE_CLAMP_H
#define STRATA_EPILOGUE_CLAMP_H

#include <math.h>

#include "strata.h"

// x < low ? low : x, then x > high ? high : x: NaN stays NaN, and an identity has no bounds.
struct strata_clamp {
  float low, high;
};

static inline int strata_is_clamp(const struct strata_epilogue *e) {
  return e->activation == STRATA_IDENTITY || e->activation == STRATA_RELU ||
         e->activation == STRATA_CLIP;
}

// The bounds of the epilogue's activation; none where it is no clamp.
static inline struct strata_clamp strata_clamp_of(const struct strata_epilogue *e) {
  switch (e->activation) {
    case STRATA_RELU: return (struct strata_clamp){0, INFINITY};
    case STRATA_CLIP: return (struct strata_clamp){(float)e->alpha, (float)e->beta};
    default: return (struct strata_clamp){-INFINITY, INFINITY};
  }
}

static inline float strata_clamp_to(struct strata_clamp clamp, float x) {
  float low = x < clamp.low ? clamp.low : x;
  return low > clamp.high ? clamp.high : low;
}

#endif
