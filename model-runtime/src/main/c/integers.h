#ifndef STRATA_INTEGERS_H
#define STRATA_INTEGERS_H

#include <stdint.h>

static inline int64_t strata_smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t strata_larger(int64_t a, int64_t b) { return a > b ? a : b; }

static inline int64_t strata_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif
