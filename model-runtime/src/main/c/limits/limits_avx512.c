#include <immintrin.h>

#include "limits/limits.h"

enum { CHAINS = 12 };  // more than the latency of one instruction

static int64_t dots(int64_t rounds) {
  __m512i sums[CHAINS], ones = _mm512_set1_epi8(1);
#pragma GCC unroll 12
  for (int c = 0; c < CHAINS; c++) sums[c] = _mm512_setzero_si512();
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) {
      __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sums[c]) : "v"(ones));
    }
  }
  return rounds * CHAINS * 64;
}

int64_t strata_limit_floats__avx512(int64_t rounds) {
  __m512 sums[CHAINS], ones = _mm512_set1_ps(1);
#pragma GCC unroll 12
  for (int c = 0; c < CHAINS; c++) sums[c] = _mm512_setzero_ps();
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) {
      __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(sums[c]) : "v"(ones));
    }
  }
  return rounds * CHAINS * 16;
}

int64_t strata_limit_ones__avx512(int64_t rounds) {
  __m512i sums[CHAINS], all = _mm512_set1_epi8(-1);
#pragma GCC unroll 12
  for (int c = 0; c < CHAINS; c++) sums[c] = _mm512_setzero_si512();
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) {
      __m512i both;
      __asm__ volatile("vpandd %1, %1, %0" : "=v"(both) : "v"(all));
      sums[c] = _mm512_add_epi32(sums[c], _mm512_popcnt_epi32(both));
    }
  }
  volatile int32_t kept = _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[CHAINS - 1]));
  (void)kept;
  return rounds * CHAINS * 512;
}

uint64_t strata_limit_read__avx512(const uint8_t *x, int64_t bytes) {
  __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                    _mm512_setzero_si512()};
  for (int64_t i = 0; i + 256 <= bytes; i += 256) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) {
      sum[v] = _mm512_xor_si512(sum[v], _mm512_loadu_si512(x + i + 64 * v));
    }
  }
  __m512i all =
      _mm512_xor_si512(_mm512_xor_si512(sum[0], sum[1]), _mm512_xor_si512(sum[2], sum[3]));
  return (uint64_t)_mm512_reduce_add_epi64(all);
}

const struct strata_limits_row strata_limits__avx512 = {
    dots, strata_limit_floats__avx512, strata_limit_ones__avx512, strata_limit_read__avx512};
