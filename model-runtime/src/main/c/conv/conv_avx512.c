#include "block/tiling.h"
#include "conv/conv.h"
#include "conv/finish_avx512.h"
#include "conv/panels_avx512.h"
#include "weights.h"

enum { TILE_ROWS = 12 };

// `rows` positions from m on x `panels` panels.
STRATA_INLINE void run_tile(const struct strata_finish *finish, const struct strata_positions *x,
                            const uint8_t *codes, int64_t m, int64_t panel, int rows, int panels) {
  float a1[TILE_ROWS * 32] __attribute__((aligned(64)));
  float a2[TILE_ROWS * 32] __attribute__((aligned(64)));
  int32_t sums[TILE_ROWS][2][16] __attribute__((aligned(64)));
  const struct strata_tile tile = {a1, a2};
  int64_t tap = 0, c = 0;
  for (int64_t g = 0; g < finish->groups; g++) {
    __m512i sum[TILE_ROWS][2];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      sum[r][0] = sum[r][1] = _mm512_setzero_si512();
    }
    for (int64_t left = finish->w->group; left > 0 && tap < x->tap_count;) {
      const int8_t *q[TILE_ROWS];
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        q[r] = x->taps[tap * x->count + m + r];
      }
      int64_t end = x->channels - c < left ? x->channels : c + left;
      left -= end - c;
      for (; c < end; c += 4, codes += 64 * panels) {
        __m512i u0 = _mm512_load_si512(codes);
        __m512i u1 = panels > 1 ? _mm512_load_si512(codes + 64) : u0;
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
          __m512i four = strata_broadcast4(q[r] + c);
          sum[r][0] = strata_dot(sum[r][0], u0, four);
          if (panels > 1) {
            sum[r][1] = strata_dot(sum[r][1], u1, four);
          }
        }
      }
      if (c == x->channels) {
        c = 0;
        tap++;
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
                              int64_t panel, int panels, uint8_t *codes) {
  strata_unpack_panels(finish->w, panel, panels, codes);
  for (int64_t m = 0, rows; m < x->count; m += rows) {
    rows = strata_even_part(x->count - m, TILE_ROWS);
    switch (rows) {
#define ROWS(count) \
  case count: run_tile(finish, x, codes, m, panel, count, panels); break;
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

static void run(const struct strata_weights *w, const struct strata_positions *x,
                const struct strata_epilogue *e, void *scratch) {
  struct strata_finish finish =
      strata_finish_of(w, x, e, 1, (uint8_t *)scratch + strata_conv_codes(w));
  int64_t panel = 0;
  for (; panel + 2 <= strata_panels(w); panel += 2) {
    run_panels(&finish, x, panel, 2, scratch);
  }
  if (panel < strata_panels(w)) {
    run_panels(&finish, x, panel, 1, scratch);
  }
}

const struct strata_conv_row strata_conv_wba8_x12x32__avx512 = {strata_positions_find, run, 0};
