// Bit-planes of pixels, one word at a time; compiled by each row with its own flags.
#ifndef STRATA_CONV_PLANES_H
#define STRATA_CONV_PLANES_H

#include <string.h>

#include "strata.h"

static inline uint32_t strata_word(const void *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

// The `sum` of a row: bit t of a code is worth 2^t.
static inline void strata_plane_sums(const uint32_t *planes, int64_t pixels, int64_t pixel_words,
                                     int64_t abits, int64_t words, int32_t *sums) {
  int64_t units = pixel_words / words;
  for (int64_t pixel = 0; pixel < pixels; pixel++, sums += units) {
    memset(sums, 0, (size_t)units * sizeof *sums);
    for (int64_t t = 0; t < abits; t++, planes += pixel_words) {
      for (int64_t i = 0; i < pixel_words; i++) {
        sums[i / words] += __builtin_popcount(planes[i]) << t;
      }
    }
  }
}

#endif
