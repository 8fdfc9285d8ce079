#include "gather/gather.h"
#include "unpack_avx2.h"
#include "weights.h"

// The 32 codes of one row in one block, in the order of columns: column 4i + t is bit i of byte t.
static __m256i codes(const struct strata_weights *w, int64_t word) {
  const __m256i place = _mm256_setr_epi32(0x01010101, 0x02020202, 0x04040404, 0x08080808,
                                          0x10101010, 0x20202020, 0x40404040, (int32_t)0x80808080);
  __m256i all = _mm256_setzero_si256();
  for (int64_t p = 0; p < w->bits; p++) {
    __m256i bits = _mm256_and_si256(strata_broadcast4(w->planes[p] + word), place);
    __m256i ones = _mm256_cmpeq_epi8(bits, place);
    all = _mm256_or_si256(all, _mm256_and_si256(ones, _mm256_set1_epi8((char)(0x80 >> p))));
  }
  return all;
}

static inline void store_block(const struct strata_weights *w, int64_t word, float scale,
                               float offset, float *y, int64_t left) {
  const __m256i centre = _mm256_set1_epi32(strata_centre(w));
  const __m256 by = _mm256_set1_ps(scale), from = _mm256_set1_ps(offset);
  uint8_t block[STRATA_BLOCK_COLUMNS];
  _mm256_storeu_si256((__m256i *)block, codes(w, word));
  for (int64_t k = 0; k < STRATA_BLOCK_COLUMNS && k < left; k += 8) {
    __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(block + k)));
    __m256 value = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_add_epi32(code, code), centre));
    strata_store8(y + k, left - k, _mm256_fmadd_ps(by, value, from));
  }
}

#include "gather/rows.inc"

void strata_gather_wb_x32__avx2(const struct strata_weights *w, const int64_t *ids, int64_t count,
                                int64_t width, float *out, int64_t out_stride) {
  gather(w, ids, count, width, out, out_stride);
}
