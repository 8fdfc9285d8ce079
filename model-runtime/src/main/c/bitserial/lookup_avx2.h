// The product that looks sums of activations up, for rows of matrices and for positions of images.
#ifndef STRATA_BITSERIAL_LOOKUP_AVX2_H
#define STRATA_BITSERIAL_LOOKUP_AVX2_H

#include "unpack_avx2.h"

enum {
  LOOKUP_ROWS = 64,                    // activation rows at a time
  LOOKUPS = STRATA_BLOCK_COLUMNS / 4,  // of a block
};

// Tables of activation rows for each four columns: [rows][pairs][columns/4] of LOOKUP_ROWS rows,
// a pair being two planes of activations, of which the last may lack the second.
static inline int64_t strata_lookup_pairs(int64_t abits) { return (abits + 1) / 2; }

// Finds the tables of 16 columns at a time: of up to two words of one plane and of the next.
STRATA_INLINE __m256i strata_lookup_tables_of(__m128i once, __m128i twice) {
  const __m128i nibble = _mm_set1_epi8(0x0f);
  __m128i low =
      _mm_or_si128(_mm_and_si128(once, nibble), _mm_slli_epi16(_mm_and_si128(twice, nibble), 4));
  __m128i high =
      _mm_or_si128(_mm_and_si128(_mm_srli_epi16(once, 4), nibble), _mm_andnot_si128(nibble, twice));
  __m256i numbers = _mm256_cvtepu8_epi16(_mm_unpacklo_epi32(low, high));
  return _mm256_slli_epi16(numbers, 4);  // 16 bytes each
}

// Of `words` words of one plane and the next, or of one where `second` is null.
STRATA_INLINE void strata_lookup_tables(const uint32_t *first, const uint32_t *second,
                                        int64_t words, uint16_t *tables) {
  int64_t k = 0;
  __m128i twice = _mm_setzero_si128();
  for (; k + 2 <= words; k += 2) {
    twice = second != NULL ? _mm_loadu_si64(second + k) : twice;
    __m256i both = strata_lookup_tables_of(_mm_loadu_si64(first + k), twice);
    _mm256_storeu_si256((__m256i *)(tables + k * LOOKUPS), both);
  }
  if (k < words) {
    twice = second != NULL ? _mm_loadu_si32(second + k) : twice;
    __m256i one = strata_lookup_tables_of(_mm_loadu_si32(first + k), twice);
    _mm_storeu_si128((__m128i *)(tables + k * LOOKUPS), _mm256_castsi256_si128(one));
  }
}

// At most LOOKUP_ROWS rows, whose codes are not read. scratch: strata_block_scratch(w).
void strata_lookup_product(const struct strata_weights *w, const struct strata_rows *x,
                           const uint16_t *tables, int64_t abits, const struct strata_epilogue *e,
                           void *scratch);

#endif
