// What one core can do at most, for benchmarks: loops that do nothing but multiply-add or read.
#ifndef STRATA_LIMITS_H
#define STRATA_LIMITS_H

#include "isa.h"

struct strata_limits_row {
  // `rounds` of independent dot products of bytes; the number of multiply-adds done.
  int64_t (*dots)(int64_t rounds);
  // The same with single precision.
  int64_t (*floats)(int64_t rounds);
  // AND, count, add of bits; the number of products of two bits.
  int64_t (*ones)(int64_t rounds);
  // Reads every byte; the result only keeps the compiler from dropping the loads.
  uint64_t (*read)(const uint8_t *x, int64_t bytes);
};

// Loops that a higher level has in common with this one.
int64_t strata_limit_floats__avx512(int64_t rounds);
int64_t strata_limit_ones__avx512(int64_t rounds);
uint64_t strata_limit_read__avx512(const uint8_t *x, int64_t bytes);

#define LIMITS(isa, name) extern const struct strata_limits_row name;
#include "limits/limits.inc"
#undef LIMITS

void strata_limits_select(uint32_t isa);

#endif
