#include <string.h>

#include "conv/conv.h"
#include "conv/finish_avx512.h"
#include "conv/panels_avx512.h"
#include "tiles_amx.h"

// 32 positions x up to 2 panels at a time. Where the last tile would go beyond the positions it
// begins earlier, and positions computed again are not stored again.
enum { TILES = 2, PAIR_ROWS = TILES * STRATA_TILE_ROWS, PAIR_FLOATS = PAIR_ROWS * 32 };

struct products {
  const struct strata_finish *finish;
  const struct strata_positions *x;
  int64_t rows;           // of a tile
  int64_t columns, step;  // of a group, filled up to whole steps with zeros
};

// Products whose sums wait to be taken: of group g, of the tiles of positions from m on.
struct sums {
  const int32_t *at;  // [PAIR_ROWS][2][16]
  int64_t g, m;
  int tiles;
};

// First position of the tile that stores the positions from m on.
static int64_t tile_start(const struct products *p, int64_t m) {
  return strata_smaller(m, p->x->count - p->rows);
}

static void take(const struct products *p, float *a1, float *a2, const struct sums *sums,
                 int64_t panel, int panels) {
  for (int i = 0; i < sums->tiles; i++) {
    int64_t m = sums->m + i * STRATA_TILE_ROWS, skipped = m - tile_start(p, m);
    int64_t at = (i * STRATA_TILE_ROWS + skipped) * 32;
    const struct strata_tile tile = {a1 + at, a2 + at};
    strata_finish_tile(p->finish, &tile, sums->at + at, sums->g, m, p->rows - skipped, panel,
                       panels);
  }
}

// Loads of what tiles have just stored wait until it has left for the cache, so sums are taken when
// the next products are under way.
STRATA_INLINE void run_panels(const struct products *p, int64_t panel, int panels, uint8_t *codes) {
  float a1[PAIR_FLOATS] __attribute__((aligned(64)));
  float a2[PAIR_FLOATS] __attribute__((aligned(64)));
  int32_t sums[2][PAIR_FLOATS] __attribute__((aligned(64)));
  const struct strata_positions *x = p->x;
  strata_unpack_panels(p->finish->w, panel, panels, codes);
  struct sums last = {0};
  int turn = 0;
  for (int64_t m = 0; m < x->count; m += PAIR_ROWS) {
    int tiles = x->count - m > STRATA_TILE_ROWS ? TILES : 1;
    const int8_t *first = x->rows + tile_start(p, m) * x->pitch;
    const int8_t *second = x->rows + tile_start(p, m + STRATA_TILE_ROWS) * x->pitch;
    for (int64_t g = 0; g < p->finish->groups; g++, turn ^= 1) {
      struct strata_tile_rows q = {.first = first + g * p->columns,
                                   .second = second + g * p->columns,
                                   .pitch = x->pitch,
                                   .next = p->step};
      const uint8_t *from = codes + g * p->columns * 16 * panels;
      if (tiles > 1) {
        strata_tile_products(q, from, p->columns, p->step, 2, panels, 1, sums[turn]);
      } else {
        strata_tile_products(q, from, p->columns, p->step, 1, panels, 1, sums[turn]);
      }
      take(p, a1, a2, &last, panel, panels);
      last = (struct sums){sums[turn], g, m, tiles};
    }
  }
  take(p, a1, a2, &last, panel, panels);
}

// Sums of each group's codes: products with a weight row of ones.
static void sum_groups(const struct products *p) {
  const struct strata_positions *x = p->x;
  uint8_t ones[STRATA_TILE_COLUMNS];
  memset(ones, 1, sizeof ones);
  strata_tiles_shape(p->rows, p->step, 1);
  STRATA_TILE_LOAD(6, ones, 4);
  for (int64_t m = 0; m < x->count; m += STRATA_TILE_ROWS) {
    int64_t first = tile_start(p, m);
    for (int64_t g = 0; g < x->groups; g++) {
      const int8_t *q = x->rows + first * x->pitch + g * p->columns;
      STRATA_TILE_ZERO(0);
      for (int64_t column = 0; column < p->columns; column += p->step) {
        STRATA_TILE_LOAD(4, q + column, x->pitch);
        STRATA_TILE_DOT(0, 4, 6);
      }
      STRATA_TILE_STORE(0, x->sums + first * x->groups + g, x->groups * 4);
    }
  }
}

static void run(const struct strata_weights *w, const struct strata_positions *x,
                const struct strata_epilogue *e, void *scratch) {
  uint8_t *codes = scratch;
  struct strata_finish finish;
  struct products p = {.finish = &finish, .x = x, .step = STRATA_TILE_COLUMNS};
  p.rows = strata_smaller(x->count, STRATA_TILE_ROWS);
  p.columns = x->groups == 1 ? x->pitch : w->group;
  if (p.columns % STRATA_TILE_COLUMNS != 0) {
    p.step = STRATA_TILE_COLUMNS / 2;
  }
  sum_groups(&p);
  finish = strata_finish_of(w, x, e, 1, codes + strata_conv_codes(w));
  strata_tiles_shape(p.rows, p.step, STRATA_PANEL_ROWS);
  int64_t panel = 0;
  for (; panel + 2 <= strata_panels(w); panel += 2) {
    run_panels(&p, panel, 2, codes);
  }
  if (panel < strata_panels(w)) {
    run_panels(&p, panel, 1, codes);
  }
  strata_tiles_release();
}

const struct strata_conv_row strata_conv_wba8_x32x32__amx = {NULL, run, 1};
