#include "block/tiling.h"
#include "conv/conv.h"
#include "conv/finish_avx512.h"
#include "conv/planes.h"
#include "unpack_avx512.h"
#include "weights.h"

enum { TILE_ROWS = 12 };

// Where a group of columns begins and how long it is, in words of 32 columns.
struct span {
  int64_t tap, word;  // first tap and its first word
  int64_t line;       // byte of the first word's line in a plane
  int64_t words;      // of columns that have a tap
};

// Adds popcount(weights & activations) of one weight plane and one activation plane. The counts go
// in by an addition of 32-bit words: a dot product would do both and the widening, but where
// popcounts and dots share two of four ports (Zen 4) the plain addition is a quarter faster.
STRATA_INLINE void add_planes(__m512i sum[TILE_ROWS][2], const struct strata_positions *x,
                              const uint8_t *plane, int64_t panel_bytes, const struct span *span,
                              int64_t offset, int64_t m, int rows, int panels) {
  int64_t tap_words = x->channels / STRATA_BLOCK_COLUMNS;
  int64_t tap = span->tap, word = span->word;
  const uint8_t *line = plane + span->line;
  for (int64_t left = span->words; left > 0; tap++, word = 0) {
    const int8_t *q[TILE_ROWS];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      q[r] = x->taps[tap * x->count + m + r];
    }
    int64_t end = tap_words - word < left ? tap_words : word + left;
    left -= end - word;
    int64_t at = offset + 4 * word;
    for (int64_t last = offset + 4 * end; at < last; at += 4, line += 64) {
      __m512i bits0 = _mm512_loadu_si512(line);
      __m512i bits1 = panels > 1 ? _mm512_loadu_si512(line + panel_bytes) : bits0;
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        __m512i word32 = strata_broadcast4(q[r] + at);
        __m512i ones = _mm512_popcnt_epi32(_mm512_and_si512(bits0, word32));
        sum[r][0] = _mm512_add_epi32(sum[r][0], ones);
        if (panels > 1) {
          ones = _mm512_popcnt_epi32(_mm512_and_si512(bits1, word32));
          sum[r][1] = _mm512_add_epi32(sum[r][1], ones);
        }
      }
    }
  }
}

// `rows` positions from m on x `panels` panels. Pairs of planes go by their worth, the highest
// first: what is summed up doubles from one worth to the next.
STRATA_INLINE void run_tile(const struct strata_finish *finish, const struct strata_positions *x,
                            int64_t abits, int64_t m, int64_t panel, int rows, int panels) {
  const struct strata_weights *w = finish->w;
  int64_t panel_bytes = strata_blocks(w) * 64;
  int64_t group_words = w->group / STRATA_BLOCK_COLUMNS;
  int64_t tap_words = x->channels / STRATA_BLOCK_COLUMNS;
  int64_t used = x->tap_count * tap_words;
  float a1[TILE_ROWS * 32] __attribute__((aligned(64)));
  float a2[TILE_ROWS * 32] __attribute__((aligned(64)));
  int32_t sums[TILE_ROWS][2][16] __attribute__((aligned(64)));
  const struct strata_tile tile = {a1, a2};
  for (int64_t g = 0; g < finish->groups; g++) {
    int64_t first = strata_smaller(g * group_words, used);
    struct span span = {.tap = first / tap_words,
                        .word = first % tap_words,
                        .line = panel * panel_bytes + first * 64,
                        .words = strata_smaller(group_words, used - first)};
    __m512i sum[TILE_ROWS][2];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      sum[r][0] = sum[r][1] = _mm512_setzero_si512();
    }
    for (int64_t worth = w->bits + abits - 2; worth >= 0; worth--) {
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        sum[r][0] = _mm512_add_epi32(sum[r][0], sum[r][0]);
        sum[r][1] = _mm512_add_epi32(sum[r][1], sum[r][1]);
      }
      for (int64_t t = 0; t < abits && t <= worth; t++) {
        int64_t p = w->bits - 1 - (worth - t);
        if (p >= 0) {
          add_planes(sum, x, w->planes[p], panel_bytes, &span, t * x->plane, m, rows, panels);
        }
      }
    }
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      _mm512_store_si512(sums[r][0], sum[r][0]);
      if (panels > 1) {
        _mm512_store_si512(sums[r][1], sum[r][1]);
      }
    }
    strata_finish_tile(finish, &tile, sums[0][0], g, m, rows, panel, panels);
  }
}

STRATA_INLINE void run_panels(const struct strata_finish *finish, const struct strata_positions *x,
                              int64_t abits, int64_t panel, int panels) {
  for (int64_t m = 0, rows; m < x->count; m += rows) {
    rows = strata_even_part(x->count - m, TILE_ROWS);
    switch (rows) {
#define ROWS(count) \
  case count: run_tile(finish, x, abits, m, panel, count, panels); break;
      ROWS(1)
      ROWS(2)
      ROWS(3)
      ROWS(4)
      ROWS(5)
      ROWS(6)
      ROWS(7)
      ROWS(8)
      ROWS(9)
      ROWS(10)
      ROWS(11)
      ROWS(12)
#undef ROWS
      default: break;
    }
  }
}

static void run(const struct strata_weights *w, const struct strata_positions *x, int64_t abits,
                const struct strata_epilogue *e, void *scratch) {
  struct strata_finish finish = strata_finish_of(w, x, e, 1 << (8 - w->bits), scratch);
  int64_t panel = 0;
  for (; panel + 2 <= strata_panels(w); panel += 2) {
    run_panels(&finish, x, abits, panel, 2);
  }
  if (panel < strata_panels(w)) {
    run_panels(&finish, x, abits, panel, 1);
  }
}

const struct strata_conv_planes_row strata_conv_wbab_x12x32__avx512 = {strata_plane_sums, run};
