// The tile registers of AMX: eight of at most 16 rows x 64 bytes. One instruction adds to 16 x 16
// sums the products of 16 activation rows with 16 weight rows over 64 columns. Unpacked codes lie
// as it wants them: [columns/4][16][4] of a panel are the rows of a tile.
//
// Here tiles 0 to 3 are sums (of activation tile i and panel j: tile 2i + j), 4 and 5 activations,
// 6 and 7 codes.
//
// The compiler's intrinsics don't say that they read memory, so that stores may move behind them;
// these do.
#ifndef STRATA_TILES_AMX_H
#define STRATA_TILES_AMX_H

#include "unpack_avx512.h"

enum { STRATA_TILE_ROWS = 16, STRATA_TILE_COLUMNS = 64, STRATA_TILES = 8 };

// The register's own format, palette 1.
struct strata_tile_shapes {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} __attribute__((packed));

// `rows` activation rows, `step` columns (64 or 32) at a time, `outputs` (at most 16) weight rows.
// To be followed by strata_tiles_release: tiles in use make every switch of threads dearer.
STRATA_INLINE void strata_tiles_shape(int64_t rows, int64_t step, int64_t outputs) {
  struct strata_tile_shapes shapes = {.palette = 1};
  for (int i = 0; i < STRATA_TILES; i++) {
    shapes.row_bytes[i] = (uint16_t)(i == 4 || i == 5 ? step : outputs * 4);
    shapes.rows[i] = (uint8_t)(i < 6 ? rows : step / 4);
  }
  __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
}

STRATA_INLINE void strata_tiles_release(void) { __asm__ volatile("tilerelease"); }

#define STRATA_TILE_ZERO(tile) __asm__ volatile("tilezero %%tmm" #tile : :)

#define STRATA_TILE_LOAD(tile, at, pitch)             \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile \
                   :                                  \
                   : "r"(at), "r"((int64_t)(pitch))   \
                   : "memor"                          \
                     "y")

#define STRATA_TILE_STORE(tile, at, pitch)                \
  __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" \
                   :                                      \
                   : "r"(at), "r"((int64_t)(pitch))       \
                   : "memory")

// sums += signed activations times unsigned codes
#define STRATA_TILE_DOT(sums, activations, codes) \
  __asm__ volatile("tdpbsud %%tmm" #codes ", %%tmm" #activations ", %%tmm" #sums : :)

// Where the activations of up to two tiles lie: rows `pitch` bytes apart, and each `step` columns
// `next` bytes behind the last.
struct strata_tile_rows {
  const int8_t *first, *second;
  int64_t pitch, next;
};

// Adds `columns` columns, whole steps, of up to two tiles of activations and two panels of codes
// [columns/4][panels][64] to sums [tiles][16][2][16], or sets these with `starts`.
STRATA_INLINE void strata_tile_products(struct strata_tile_rows q, const uint8_t *codes,
                                        int64_t columns, int64_t step, int tiles, int panels,
                                        int starts, int32_t *sums) {
  enum { SUMS_PITCH = 2 * STRATA_PANEL_ROWS * 4 };
  const int64_t line = panels * 64;
  int32_t *second = sums + STRATA_TILE_ROWS * 2 * STRATA_PANEL_ROWS;
  if (starts) {
    STRATA_TILE_ZERO(0);
    STRATA_TILE_ZERO(1);
    STRATA_TILE_ZERO(2);
    STRATA_TILE_ZERO(3);
  } else {
    STRATA_TILE_LOAD(0, sums, SUMS_PITCH);
    if (panels > 1) {
      STRATA_TILE_LOAD(1, sums + 16, SUMS_PITCH);
    }
    if (tiles > 1) {
      STRATA_TILE_LOAD(2, second, SUMS_PITCH);
      if (panels > 1) {
        STRATA_TILE_LOAD(3, second + 16, SUMS_PITCH);
      }
    }
  }
  for (; columns > 0; columns -= step, codes += step / 4 * line) {
    STRATA_TILE_LOAD(4, q.first, q.pitch);
    STRATA_TILE_LOAD(6, codes, line);
    STRATA_TILE_DOT(0, 4, 6);
    if (panels > 1) {
      STRATA_TILE_LOAD(7, codes + 64, line);
      STRATA_TILE_DOT(1, 4, 7);
    }
    q.first += q.next;
    if (tiles > 1) {
      STRATA_TILE_LOAD(5, q.second, q.pitch);
      STRATA_TILE_DOT(2, 5, 6);
      if (panels > 1) {
        STRATA_TILE_DOT(3, 5, 7);
      }
      q.second += q.next;
    }
  }
  STRATA_TILE_STORE(0, sums, SUMS_PITCH);
  if (panels > 1) {
    STRATA_TILE_STORE(1, sums + 16, SUMS_PITCH);
  }
  if (tiles > 1) {
    STRATA_TILE_STORE(2, second, SUMS_PITCH);
    if (panels > 1) {
      STRATA_TILE_STORE(3, second + 16, SUMS_PITCH);
    }
  }
}

#endif
