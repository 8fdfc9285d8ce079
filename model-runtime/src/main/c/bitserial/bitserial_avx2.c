#include "bitserial/bitserial.h"
#include "unpack_avx2.h"
#include "weights.h"

// Ones in each byte, by a table of the ones in four bits.
STRATA_INLINE __m256i count_ones(__m256i bytes) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2,
                                         1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  __m256i low = _mm256_and_si256(bytes, nibble);
  __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

// 8 weight rows, one activation row.
static void run_half(const struct strata_weights *w, const struct strata_rows *x, int64_t abits,
                     const struct strata_epilogue *e, int64_t panel, int half, int64_t m) {
  int64_t groups = strata_group_count(w);
  int64_t blocks = strata_blocks(w);
  int64_t group_blocks = w->group / STRATA_BLOCK_COLUMNS;
  const int8_t *words = x->codes + m * abits * blocks * 4;
  const __m256i ones = _mm256_set1_epi8(1);
  __m256 a1 = _mm256_setzero_ps();
  __m256 a2 = _mm256_setzero_ps();
  for (int64_t g = 0; g < groups; g++) {
    __m256i dot = _mm256_setzero_si256();
    for (int64_t k = g * group_blocks; k < (g + 1) * group_blocks; k++) {
      int64_t line = strata_line(w, panel, k) + 32 * half;
      for (int64_t p = 0; p < w->bits; p++) {
        __m256i plane = _mm256_loadu_si256((const __m256i *)(w->planes[p] + line));
        for (int64_t t = 0; t < abits; t++) {
          __m256i both = _mm256_and_si256(plane, strata_broadcast4(words + (t * blocks + k) * 4));
          __m256i pairs = _mm256_maddubs_epi16(count_ones(both), ones);
          __m256i worth = _mm256_set1_epi16((int16_t)(1 << (7 - p + t)));
          dot = _mm256_add_epi32(dot, _mm256_madd_epi16(pairs, worth));
        }
      }
    }
    int32_t sum = x->sums[m * groups + g];
    __m256i whole =
        _mm256_sub_epi32(_mm256_add_epi32(dot, dot), _mm256_set1_epi32(strata_centre(w) * sum));
    const uint8_t *table = strata_group(w, panel, g);
    float scale = x->scale[m * groups + g];
    __m256 scaled = _mm256_mul_ps(_mm256_set1_ps(scale), _mm256_cvtepi32_ps(whole));
    a1 = _mm256_fmadd_ps(strata_scale_codes(table, half), scaled, a1);
    a2 = _mm256_fmadd_ps(strata_offset_codes(table, half), _mm256_set1_ps(scale * (float)sum), a2);
  }
  strata_finish8(w, e, m, panel * STRATA_PANEL_ROWS + 8 * half, a1, a2);
}

void strata_bitserial_wbab_x256__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                      int64_t abits, const struct strata_epilogue *e,
                                      void *scratch) {
  (void)scratch;
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    for (int64_t m = 0; m < x->count; m++) {
      run_half(w, x, abits, e, panel, 0, m);
      run_half(w, x, abits, e, panel, 1, m);
    }
  }
}
