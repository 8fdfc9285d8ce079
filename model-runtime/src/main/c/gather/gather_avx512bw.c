#include <immintrin.h>
#include <string.h>

#include "gather/gather.h"
#include "weights.h"

static __mmask16 first16(int64_t count) {
  return count >= 16 ? 0xffff : count > 0 ? (__mmask16)((1u << count) - 1) : 0;
}

// The 32 codes of one row in one block, in the order of columns.
static __m256i codes(const struct strata_weights *w, int64_t word) {
  __m256i mixed = _mm256_setzero_si256();  // byte 8t + i is column 4i + t
  for (int64_t p = 0; p < w->bits; p++) {
    uint32_t ones;
    memcpy(&ones, w->planes[p] + word, sizeof ones);
    mixed = _mm256_or_si256(mixed, _mm256_maskz_set1_epi8(ones, (char)(0x80 >> p)));
  }
  const __m256i halves = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  const __m256i by_column = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm256_shuffle_epi8(_mm256_permutevar8x32_epi32(mixed, halves), by_column);
}

static inline void store_block(const struct strata_weights *w, int64_t word, float scale,
                               float offset, float *y, int64_t left) {
  const __m512i centre = _mm512_set1_epi32(strata_centre(w));
  const __m512 by = _mm512_set1_ps(scale), from = _mm512_set1_ps(offset);
  __m256i block = codes(w, word);
  for (int half = 0; half < 2; half++) {
    __m128i bytes = half ? _mm256_extracti128_si256(block, 1) : _mm256_castsi256_si128(block);
    __m512i code = _mm512_cvtepu8_epi32(bytes);
    __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_add_epi32(code, code), centre));
    int64_t at = 16 * half;
    _mm512_mask_storeu_ps(y + at, first16(left - at), _mm512_fmadd_ps(by, value, from));
  }
}

#include "gather/rows.inc"

void strata_gather_wb_x32__avx512bw(const struct strata_weights *w, const int64_t *ids,
                                    int64_t count, int64_t width, float *out, int64_t out_stride) {
  gather(w, ids, count, width, out, out_stride);
}
