// From integer sums to outputs, in the one order of strata.h. A tile stores its sums and a loop
// over its positions finishes them: unrolled behind the products it would be long and full of
// branches.
#ifndef STRATA_CONV_FINISH_AVX512_H
#define STRATA_CONV_FINISH_AVX512_H

#include "conv/positions.h"
#include "epilogue/clamp.h"
#include "unpack_avx512.h"
#include "weights.h"

// Of a tile of positions x up to two panels: the groups before the one at hand, as [rows][2][16].
struct strata_tile {
  float *a1, *a2;
};

// What positions bring to the formula, for all panels: with these, a group's I is
// worth * (2*sum - middle).
struct strata_finish {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  int64_t groups;
  float *by;        // [count]: worth * value of one code
  float *shift;     // [count][groups]: value of the sum of a group's codes
  int32_t *middle;  // [count][groups]: centre / worth * sum of a group's codes
  __m512 low, high;
};

static inline int64_t strata_finish_bytes(int64_t groups, int64_t count) {
  return count * (1 + 2 * groups) * (int64_t)sizeof(float);
}

// `worth`: a power of two that divides the centre, so that scaling with it is exact.
static inline struct strata_finish strata_finish_of(const struct strata_weights *w,
                                                    const struct strata_positions *x,
                                                    const struct strata_epilogue *e, int32_t worth,
                                                    void *scratch) {
  struct strata_clamp clamp = strata_clamp_of(e);
  struct strata_finish f = {.w = w,
                            .e = e,
                            .groups = x->groups,
                            .by = scratch,
                            .low = _mm512_set1_ps(clamp.low),
                            .high = _mm512_set1_ps(clamp.high)};
  f.shift = f.by + x->count;
  f.middle = (int32_t *)(f.shift + x->count * f.groups);
  int32_t centre = strata_centre(w) / worth;
  for (int64_t m = 0; m < x->count; m++) {
    f.by[m] = x->scale[m] * (float)worth;
  }
  for (int64_t i = 0; i < x->count * f.groups; i++) {
    f.shift[i] = (float)x->sums[i];
    f.middle[i] = centre * x->sums[i];
  }
  for (int64_t m = 0, i = 0; m < x->count; m++) {
    for (int64_t g = 0; g < f.groups; g++, i++) {
      f.shift[i] *= x->scale[m];
    }
  }
  return f;
}

// Adds sums [rows][2][16] of group g to the outputs of positions [m, m + rows) and panel + j.
static inline void strata_finish_panel(const struct strata_finish *f,
                                       const struct strata_tile *tile, const int32_t *sums,
                                       int64_t g, int64_t m, int64_t rows, int64_t panel, int j) {
  const uint8_t *table = strata_group(f->w, panel + j, g);
  const __m512 scale_codes = strata_scale_codes(table);
  const __m512 offset_codes = strata_offset_codes(table);
  const int64_t c = (panel + j) * STRATA_PANEL_ROWS;
  const __m512 scale = _mm512_loadu_ps(f->w->scale + c);
  const __m512 offset = _mm512_loadu_ps(f->w->offset + c);
  const __m512 bias = _mm512_loadu_ps(f->e->bias + c);
  const __m512 low = f->low, high = f->high;
  const __mmask16 mask = strata_panel_mask(f->w, panel + j);
  const int64_t groups = f->groups, out_stride = f->e->out_stride;
  const int32_t *middle = f->middle + m * groups + g;
  const float *shift = f->shift + m * groups + g;
  const float *by = f->by + m;
  const float *residual = f->e->residual ? f->e->residual + m * f->e->residual_stride + c : NULL;
  float *out = f->e->out + m * out_stride + c;
  for (int64_t r = 0; r < rows; r++, middle += groups, shift += groups) {
    int64_t at = r * 32 + j * 16;
    __m512i sum = _mm512_load_si512(sums + at);
    __m512i whole = _mm512_sub_epi32(_mm512_add_epi32(sum, sum), _mm512_set1_epi32(*middle));
    __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(whole), _mm512_set1_ps(by[r]));
    __m512 a1 = _mm512_setzero_ps(), a2 = _mm512_setzero_ps();
    if (g > 0) {
      a1 = _mm512_load_ps(tile->a1 + at);
      a2 = _mm512_load_ps(tile->a2 + at);
    }
    a1 = _mm512_fmadd_ps(scale_codes, scaled, a1);
    a2 = _mm512_fmadd_ps(offset_codes, _mm512_set1_ps(*shift), a2);
    if (g < groups - 1) {
      _mm512_store_ps(tile->a1 + at, a1);
      _mm512_store_ps(tile->a2 + at, a2);
      continue;
    }
    __m512 y = _mm512_add_ps(_mm512_fmadd_ps(scale, a1, _mm512_mul_ps(offset, a2)), bias);
    if (residual) {
      y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, residual + r * f->e->residual_stride));
    }
    y = _mm512_min_ps(high, _mm512_max_ps(low, y));  // the second operand where one is NaN
    _mm512_mask_storeu_ps(out + r * out_stride, mask, y);
  }
}

// The same for up to two panels. One copy of it: a tile's loop has enough to keep in registers.
__attribute__((noinline)) static void strata_finish_tile(const struct strata_finish *f,
                                                         const struct strata_tile *tile,
                                                         const int32_t *sums, int64_t g, int64_t m,
                                                         int64_t rows, int64_t panel, int panels) {
  for (int j = 0; j < panels; j++) {
    strata_finish_panel(f, tile, sums, g, m, rows, panel, j);
  }
}

#endif
