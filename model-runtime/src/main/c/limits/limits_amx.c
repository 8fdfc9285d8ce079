#include "limits/limits.h"
#include "tiles_amx.h"

// Four tiles of sums hide the latency of one.
static int64_t dots(int64_t rounds) {
  strata_tiles_shape(STRATA_TILE_ROWS, STRATA_TILE_COLUMNS, STRATA_PANEL_ROWS);
  STRATA_TILE_ZERO(4);
  STRATA_TILE_ZERO(5);
  STRATA_TILE_ZERO(6);
  STRATA_TILE_ZERO(7);
  for (int64_t i = 0; i < rounds; i++) {
    STRATA_TILE_DOT(0, 4, 6);
    STRATA_TILE_DOT(1, 4, 7);
    STRATA_TILE_DOT(2, 5, 6);
    STRATA_TILE_DOT(3, 5, 7);
  }
  strata_tiles_release();
  return rounds * 4 * STRATA_TILE_ROWS * STRATA_PANEL_ROWS * STRATA_TILE_COLUMNS;
}

const struct strata_limits_row strata_limits__amx = {
    dots, strata_limit_floats__avx512, strata_limit_ones__avx512, strata_limit_read__avx512};
