// The registers of the instruction set that a file is built for (lanes_<isa>.h), and what the
// bodies written over them (*_lanes.inc) share. docs/kernels.md ("Lanes") says what each name
// means.
#ifndef STRATA_LANES_H
#define STRATA_LANES_H

#if defined(__ARM_FEATURE_DOTPROD)
#include "lanes/lanes_neon.h"
#elif defined(__AVX512BW__)
#include "lanes/lanes_avx512.h"
#elif defined(__AVX2__)
#include "lanes/lanes_avx2.h"
#endif
#include "weights.h"

// How dot products become the integers I of a group: I = (dot << twice) + correction * sum of q.
struct lanes_product {
  int twice;
  int wide;  // operands may be above 127
  int32_t correction;
};

// The sums of one output over its groups, and what a group adds to them.
struct lanes_sums {
  lanes_float a1, a2;
};

STRATA_INLINE struct lanes_sums lanes_no_sums(void) {
  return (struct lanes_sums){lanes_set_float(0), lanes_set_float(0)};
}

STRATA_INLINE lanes_int lanes_whole(struct lanes_product p, lanes_int dot, int32_t sum) {
  return lanes_add(lanes_left(dot, p.twice), lanes_set(p.correction * sum));
}

// `group` is the table of the group, `part` its lanes, `scale` the value of one activation code.
STRATA_INLINE void lanes_add_group(struct lanes_sums *s, const uint8_t *group, int part,
                                   float scale, lanes_int whole, lanes_int sum) {
  lanes_float by = lanes_set_float(scale);
  s->a1 =
      lanes_fma(lanes_scale_codes(group, part), lanes_mul_float(by, lanes_floats(whole)), s->a1);
  s->a2 = lanes_fma(lanes_offset_codes(group, part), lanes_mul_float(by, lanes_floats(sum)), s->a2);
}

// The epilogue of one part, up to the activation; rows that do not exist are not written.
STRATA_INLINE void lanes_finish(const struct strata_weights *w, const struct strata_epilogue *e,
                                int64_t m, int64_t panel, int part, struct lanes_sums s) {
  int64_t c = panel * STRATA_PANEL_ROWS + part * LANES;
  lanes_float offset = lanes_mul_float(lanes_load_float(w->offset + c), s.a2);
  lanes_float t = lanes_fma(lanes_load_float(w->scale + c), s.a1, offset);
  lanes_store_rows(e, w->rows, m, c, t);
}

#endif
