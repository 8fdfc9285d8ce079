// The product of layered codes over lanes.
#ifndef STRATA_LANES_UNIFORM_H
#define STRATA_LANES_UNIFORM_H

#include "lanes/lanes.h"

// I = 2 * sum U*q - centre * sum q.
STRATA_INLINE struct lanes_product lanes_uniform(const struct strata_weights *w) {
  int halved = !EXACT_DOT && w->bits < 8;  // lanes_operand
  return (struct lanes_product){1 + halved, w->bits == 8, 2 * OPERAND_BIAS - strata_centre(w)};
}

STRATA_INLINE lanes_bytes lanes_uniform_operand(lanes_bytes codes, int bits, const void *decoder) {
  (void)decoder;
  return lanes_operand(codes, bits);
}

#endif
