// How the blocked product cuts its work, and what lies where in its scratch.
#ifndef STRATA_BLOCK_TILING_H
#define STRATA_BLOCK_TILING_H

#include <string.h>

#include "weights.h"

enum {
  BLOCK_ROWS = 120,  // activation rows that share one unpacked tile
  BLOCK_COLUMNS =
      512,          // columns unpacked at a time: 32 rows x 512 bytes are a third of a 48 KiB L1
  PACK_PITCH = 64,  // bytes between packed rows beyond the columns
  BLOCK_TILE_BYTES = 32 * BLOCK_COLUMNS + 2 * 32 * BLOCK_ROWS * 4,  // all but the packed rows
};

struct strata_block_memory {
  uint8_t *codes;    // [BLOCK_COLUMNS/4][2][64]
  float *a1;         // [BLOCK_ROWS][2][16]
  int32_t *partial;  // [BLOCK_ROWS][2][16]
  int8_t *packed;    // [BLOCK_ROWS][columns + PACK_PITCH]
};

static inline struct strata_block_memory strata_block_memory(void *scratch) {
  struct strata_block_memory memory;
  memory.codes = scratch;
  memory.a1 = (float *)(memory.codes + 32 * BLOCK_COLUMNS);
  memory.partial = (int32_t *)(memory.a1 + 32 * BLOCK_ROWS);
  memory.packed = (int8_t *)(memory.partial + 32 * BLOCK_ROWS);
  return memory;
}

// Rows a power of two apart fall into the same sets of the level 1 cache.
static inline int strata_block_packs(const struct strata_weights *w) {
  return w->columns % 1024 == 0;
}

static inline int64_t strata_block_bytes(const struct strata_weights *w) {
  int64_t packed = strata_block_packs(w) ? BLOCK_ROWS * (w->columns + PACK_PITCH) : 0;
  return BLOCK_TILE_BYTES + packed;
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

// End of the columns unpacked together from `from` on: whole groups, or a part of one long group.
static inline int64_t strata_block_end(const struct strata_weights *w, int64_t from) {
  int64_t end =
      from + (w->group > BLOCK_COLUMNS ? BLOCK_COLUMNS : BLOCK_COLUMNS / w->group * w->group);
  int64_t limit = w->group > BLOCK_COLUMNS ? (from / w->group + 1) * w->group : w->columns;
  return end < limit ? end : limit;
}

// Size of the next part when `left` are cut into parts of at most `most`, as even as can be.
static inline int64_t strata_even_part(int64_t left, int64_t most) {
  int64_t parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

#endif
