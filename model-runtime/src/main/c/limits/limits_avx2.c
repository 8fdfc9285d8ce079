#include <immintrin.h>

#include "limits/limits.h"

enum { CHAINS = 10 };  // more than the latency of one instruction

// Four products of bytes in the three instructions that AVX2 has for them.
static int64_t dots(int64_t rounds) {
  __m256i sums[CHAINS], ones = _mm256_set1_epi8(1), pairs = _mm256_set1_epi16(1);
#pragma GCC unroll 10
  for (int c = 0; c < CHAINS; c++) sums[c] = _mm256_setzero_si256();
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 10
    for (int c = 0; c < CHAINS; c++) {
      __m256i products;
      __asm__ volatile("vpmaddubsw %1, %1, %0" : "=x"(products) : "x"(ones));
      sums[c] = _mm256_add_epi32(sums[c], _mm256_madd_epi16(products, pairs));
    }
  }
  volatile int32_t kept = _mm256_extract_epi32(_mm256_add_epi32(sums[0], sums[CHAINS - 1]), 0);
  (void)kept;
  return rounds * CHAINS * 32;
}

static int64_t floats(int64_t rounds) {
  __m256 sums[CHAINS], ones = _mm256_set1_ps(1);
#pragma GCC unroll 10
  for (int c = 0; c < CHAINS; c++) sums[c] = _mm256_setzero_ps();
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 10
    for (int c = 0; c < CHAINS; c++) {
      __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(sums[c]) : "x"(ones));
    }
  }
  return rounds * CHAINS * 8;
}

// Counts by table, nibble for nibble, since AVX2 has no instruction for it.
static int64_t ones(int64_t rounds) {
  enum { SUMS = 4 };
  const __m256i nibble = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  const __m256i counts =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  __m256i sums[SUMS] = {zero, zero, zero, zero};
  for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 4
    for (int c = 0; c < SUMS; c++) {
      __m256i both;
      __asm__ volatile("vpand %1, %1, %0" : "=x"(both) : "x"(counts));
      __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(both, nibble));
      __m256i high =
          _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble));
      sums[c] = _mm256_add_epi64(sums[c], _mm256_sad_epu8(_mm256_add_epi8(low, high), zero));
    }
  }
  volatile int64_t kept = _mm256_extract_epi64(_mm256_add_epi64(sums[0], sums[SUMS - 1]), 0);
  (void)kept;
  return rounds * SUMS * 256;
}

static uint64_t read(const uint8_t *x, int64_t bytes) {
  __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                    _mm256_setzero_si256()};
  for (int64_t i = 0; i + 128 <= bytes; i += 128) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) {
      sum[v] = _mm256_xor_si256(sum[v], _mm256_loadu_si256((const __m256i *)(x + i + 32 * v)));
    }
  }
  __m256i all =
      _mm256_xor_si256(_mm256_xor_si256(sum[0], sum[1]), _mm256_xor_si256(sum[2], sum[3]));
  return (uint64_t)_mm256_extract_epi64(all, 0) ^ (uint64_t)_mm256_extract_epi64(all, 2);
}

const struct strata_limits_row strata_limits__avx2 = {dots, floats, ones, read};
