// Plain C: a bound for the scalar rows only.
#include "limits/limits.h"

enum { CHAINS = 8 };

static int64_t dots(int64_t rounds) {
  volatile uint8_t code = 3;
  volatile int8_t value = -5;
  int32_t sums[CHAINS] = {0};
  for (int64_t i = 0; i < rounds; i++) {
    for (int c = 0; c < CHAINS; c++) {
      sums[c] += code * value;
    }
  }
  volatile int32_t kept = sums[0] + sums[CHAINS - 1];
  (void)kept;
  return rounds * CHAINS;
}

static int64_t floats(int64_t rounds) {
  volatile float x = 0.5f;
  float sums[CHAINS] = {0};
  for (int64_t i = 0; i < rounds; i++) {
    for (int c = 0; c < CHAINS; c++) {
      sums[c] += x * x;
    }
  }
  volatile float kept = sums[0] + sums[CHAINS - 1];
  (void)kept;
  return rounds * CHAINS;
}

static int64_t ones(int64_t rounds) {
  uint64_t sums[CHAINS] = {0};
  for (int64_t i = 0; i < rounds; i++) {
    for (int c = 0; c < CHAINS; c++) {
      volatile uint64_t word = 0x35;
      sums[c] += (uint64_t)__builtin_popcountll(word & 0x53);
    }
  }
  volatile uint64_t kept = sums[0] + sums[CHAINS - 1];
  (void)kept;
  return rounds * CHAINS * 64;
}

static uint64_t read(const uint8_t *x, int64_t bytes) {
  uint64_t sum = 0;
  for (int64_t i = 0; i + 8 <= bytes; i += 8) {
    uint64_t word;
    __builtin_memcpy(&word, x + i, sizeof word);
    sum ^= word;
  }
  return sum;
}

const struct strata_limits_row strata_limits__scalar = {dots, floats, ones, read};
