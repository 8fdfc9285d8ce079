// Reading layered weights one element at a time: the layout and the formula in their plainest form.
#ifndef STRATA_WEIGHTS_H
#define STRATA_WEIGHTS_H

#include "strata.h"

static inline int64_t strata_panels(const struct strata_weights *w) {
  return (w->rows + STRATA_PANEL_ROWS - 1) / STRATA_PANEL_ROWS;
}

static inline int64_t strata_blocks(const struct strata_weights *w) {
  return w->columns / STRATA_BLOCK_COLUMNS;
}

static inline int64_t strata_group_count(const struct strata_weights *w) {
  return w->columns / w->group;
}

// The centre of a bin in units of half a code: w = scale * ns * (2U - centre) + offset * nb.
static inline int32_t strata_centre(const struct strata_weights *w) {
  return 256 - (1 << (8 - w->bits));
}

// The middle of a bin in codes, rounded up: what a code of `bits` planes stands for is U + this.
static inline int32_t strata_bin_middle(const struct strata_weights *w) {
  return (1 << (8 - w->bits)) >> 1;
}

// The 64 bytes of a plane that hold 16 rows x 32 columns.
static inline int64_t strata_line(const struct strata_weights *w, int64_t panel, int64_t block) {
  return (panel * strata_blocks(w) + block) * 64;
}

// Prefix code U of (row, column), left-aligned to 8 bits.
static inline int32_t strata_code(const struct strata_weights *w, int64_t row, int64_t column) {
  int64_t within = column % STRATA_BLOCK_COLUMNS;
  int64_t line = strata_line(w, row / STRATA_PANEL_ROWS, column / STRATA_BLOCK_COLUMNS);
  int64_t byte = line + row % STRATA_PANEL_ROWS * 4 + within % 4;
  int32_t code = 0;
  for (int64_t p = 0; p < w->bits; p++) {
    code |= (w->planes[p][byte] >> (within / 4) & 1) << (7 - p);
  }
  return code;
}

// The group's 16 scale codes of a panel; the 16 offset codes follow.
static inline const uint8_t *strata_group(const struct strata_weights *w, int64_t panel,
                                          int64_t group) {
  return w->groups + (panel * strata_group_count(w) + group) * 2 * STRATA_PANEL_ROWS;
}

static inline float strata_group_scale(const struct strata_weights *w, int64_t row, int64_t group) {
  return strata_group(w, row / STRATA_PANEL_ROWS, group)[row % STRATA_PANEL_ROWS];
}

static inline float strata_group_offset(const struct strata_weights *w, int64_t row,
                                        int64_t group) {
  const uint8_t *codes = strata_group(w, row / STRATA_PANEL_ROWS, group) + STRATA_PANEL_ROWS;
  return (int8_t)codes[row % STRATA_PANEL_ROWS];
}

// run(bits) with the constant that is `bits`.
#define STRATA_FOR_BITS(bits, run) \
  do {                             \
    switch (bits) {                \
      case 1: run(1); break;       \
      case 2: run(2); break;       \
      case 3: run(3); break;       \
      case 4: run(4); break;       \
      case 5: run(5); break;       \
      case 6: run(6); break;       \
      case 7: run(7); break;       \
      default: run(8); break;      \
    }                              \
  } while (0)

#endif
