// How the blocked product cuts its work, and what lies where in its scratch.
#ifndef STRATA_BLOCK_TILING_H
#define STRATA_BLOCK_TILING_H

#include <string.h>

#include "weights.h"

enum {
  BLOCK_ROWS = 120,        // activation rows that share one unpacked tile
  BLOCK_TILED_ROWS = 128,  // the same where tiles have 16 rows
  BLOCK_COLUMNS =
      512,          // columns unpacked at a time: 32 rows x 512 bytes are a third of a 48 KiB L1
  PACK_PITCH = 64,  // bytes between packed rows beyond the columns
  WIDE_COLUMNS =
      4096,  // columns unpacked at a time where the level 2 cache feeds the dots fast enough
  WIDE_TILE_ROWS = 6,
  WIDE_GROUP_BYTES = 6 * WIDE_TILE_ROWS * 4,
  BLOCK_TILE_BYTES = 32 * BLOCK_COLUMNS + 2 * 32 * BLOCK_TILED_ROWS * 4,  // all but the packed rows
};

struct strata_block_memory {
  uint8_t *codes;    // [BLOCK_COLUMNS/4][2][64]
  float *a1;         // [BLOCK_TILED_ROWS][2][16]
  int32_t *partial;  // [BLOCK_TILED_ROWS][2][16]
  int8_t *packed;    // [BLOCK_TILED_ROWS][columns + PACK_PITCH]
};

static inline struct strata_block_memory strata_block_memory(void *scratch) {
  struct strata_block_memory memory;
  memory.codes = scratch;
  memory.a1 = (float *)(memory.codes + 32 * BLOCK_COLUMNS);
  memory.partial = (int32_t *)(memory.a1 + 32 * BLOCK_TILED_ROWS);
  memory.packed = (int8_t *)(memory.partial + 32 * BLOCK_TILED_ROWS);
  return memory;
}

// Rows a power of two apart fall into the same sets of the level 1 cache.
static inline int strata_block_packs(const struct strata_weights *w) {
  return w->columns % 1024 == 0;
}

static inline int64_t strata_block_packed_bytes(const struct strata_weights *w) {
  return strata_block_packs(w) ? BLOCK_TILED_ROWS * (w->columns + PACK_PITCH) : 0;
}

// What a row with wide tiles has in place of `codes`, behind the rest.
struct strata_wide_memory {
  uint8_t *codes;  // [columns, at most WIDE_COLUMNS, /4][2][64]
  void *groups;    // [tiles][groups] of WIDE_GROUP_BYTES: what a tile's rows need for each group
};

static inline int64_t strata_wide_codes(const struct strata_weights *w) {
  return 32 * (w->columns < WIDE_COLUMNS ? w->columns : WIDE_COLUMNS);
}

static inline struct strata_wide_memory strata_wide_memory(const struct strata_weights *w,
                                                           void *scratch) {
  struct strata_wide_memory memory;
  memory.codes = (uint8_t *)scratch + BLOCK_TILE_BYTES + strata_block_packed_bytes(w);
  memory.groups = memory.codes + strata_wide_codes(w);
  return memory;
}

static inline int64_t strata_block_bytes(const struct strata_weights *w) {
  int64_t tiles = BLOCK_ROWS / WIDE_TILE_ROWS;
  return BLOCK_TILE_BYTES + strata_block_packed_bytes(w) + strata_wide_codes(w) +
         tiles * strata_group_count(w) * WIDE_GROUP_BYTES;
}

// Activation rows [first, first + count), copied to a better pitch where that helps.
static inline const int8_t *strata_block_pack(const struct strata_weights *w,
                                              const struct strata_rows *x, int64_t first,
                                              int64_t count, int8_t *packed, int64_t *pitch) {
  const int8_t *rows = x->codes + first * w->columns;
  *pitch = w->columns;
  if (!strata_block_packs(w)) {
    return rows;
  }
  *pitch += PACK_PITCH;
  for (int64_t m = 0; m < count; m++) {
    memcpy(packed + m * *pitch, rows + m * w->columns, (size_t)w->columns);
  }
  return packed;
}

// End of the columns unpacked together from `from` on, at most `most` of them: whole groups, or a
// part of one long group.
static inline int64_t strata_part_end(const struct strata_weights *w, int64_t from, int64_t most) {
  int64_t end = from + (w->group > most ? most : most / w->group * w->group);
  int64_t limit = w->group > most ? (from / w->group + 1) * w->group : w->columns;
  return end < limit ? end : limit;
}

static inline int64_t strata_block_end(const struct strata_weights *w, int64_t from) {
  return strata_part_end(w, from, BLOCK_COLUMNS);
}

// Size of the next part when `left` are cut into parts of at most `most`, as even as can be.
static inline int64_t strata_even_part(int64_t left, int64_t most) {
  int64_t parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

#endif
