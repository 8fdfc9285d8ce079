#include <string.h>

#include "block/tiling.h"
#include "conv/conv.h"
#include "conv/finish_avx2.h"
#include "conv/planes.h"
#include "unpack_avx2.h"
#include "weights.h"

// Words whose ones, at most 8 in each byte, fit into a byte's sum.
enum { TILE_ROWS = 2, SHORT_WORDS = 31 };

// Ones in each byte, by a table of the ones in four bits.
STRATA_INLINE __m256i count_ones(__m256i bytes) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2,
                                         1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  __m256i low = _mm256_and_si256(bytes, nibble);
  __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

// Adds popcount(weights & activations) << shift of one weight plane, from `line` on, and one
// activation plane over words [first, first + words) of the positions' columns.
STRATA_INLINE void add_planes(__m256i sum[TILE_ROWS][2], const struct strata_positions *x,
                              const uint8_t *line, int64_t first, int64_t words, int64_t offset,
                              int64_t shift, int64_t m, int rows) {
  int64_t tap_words = x->channels / STRATA_BLOCK_COLUMNS;
  int64_t tap = first / tap_words, word = first % tap_words;
  __m128i by = _mm_cvtsi64_si128(shift);
  for (int64_t k = 0; k < words;) {
    __m256i ones[TILE_ROWS][2];
    memset(ones, 0, sizeof ones);
    for (int64_t end = strata_smaller(k + SHORT_WORDS, words); k < end; k++, line += 64) {
#pragma GCC unroll 2
      for (int r = 0; r < rows; r++) {
        __m256i bits = strata_broadcast4(x->taps[tap * x->count + m + r] + offset + 4 * word);
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
          __m256i plane = _mm256_loadu_si256((const __m256i *)line + j);
          ones[r][j] = _mm256_add_epi8(ones[r][j], count_ones(_mm256_and_si256(plane, bits)));
        }
      }
      if (++word == tap_words) {
        word = 0;
        tap++;
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        // Bytes are unsigned here: the first operand of vpmaddubsw.
        __m256i pairs = _mm256_maddubs_epi16(ones[r][j], _mm256_set1_epi8(1));
        __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        sum[r][j] = _mm256_add_epi32(sum[r][j], _mm256_sll_epi32(fours, by));
      }
    }
  }
}

// `rows` positions from m on x one panel.
STRATA_INLINE void run_tile(const struct strata_positions *x, const struct strata_finish *finish,
                            int64_t abits, int64_t m, int rows) {
  const struct strata_weights *w = finish->w;
  int64_t group_words = w->group / STRATA_BLOCK_COLUMNS;
  int64_t used = x->tap_count * (x->channels / STRATA_BLOCK_COLUMNS);
  struct strata_finish_tile sofar;
  for (int64_t g = 0; g < finish->groups; g++) {
    int64_t first = strata_smaller(g * group_words, used);
    int64_t words = strata_smaller(group_words, used - first);
    int64_t line = strata_line(w, finish->panel, first);
    __m256i sum[TILE_ROWS][2];
    memset(sum, 0, sizeof sum);
    for (int64_t p = 0; p < w->bits; p++) {
      for (int64_t t = 0; t < abits; t++) {
        add_planes(sum, x, w->planes[p] + line, first, words, t * x->plane, 7 - p + t, m, rows);
      }
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; r++) {
      int32_t total = x->sums[(m + r) * finish->groups + g];
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        strata_finish_add(finish, &sofar, g, m, r, j, x->scale[m + r], total, sum[r][j]);
      }
    }
  }
}

static void run(const struct strata_weights *w, const struct strata_positions *x, int64_t abits,
                const struct strata_epilogue *e, void *scratch) {
  (void)scratch;
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    struct strata_finish finish = strata_finish_of(w, e, panel);
    int64_t m = 0;
    for (; m + 2 <= x->count; m += 2) {
      run_tile(x, &finish, abits, m, 2);
    }
    if (m < x->count) {
      run_tile(x, &finish, abits, m, 1);
    }
  }
}

const struct strata_conv_planes_row strata_conv_wbab_x2x16__avx2 = {strata_plane_sums, run};
