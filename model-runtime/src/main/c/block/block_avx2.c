#include <string.h>

#include "block/block.h"
#include "block/finish_avx2.h"
#include "block/tiling.h"
#include "brief_avx2.h"
#include "integers.h"
#include "weights.h"

// Sums of 16 bits fill eight registers: 4 rows with one operand for each code, 2 with two.
enum { TILE_ROWS = FINISH_ROWS, TILE_SUMS = 8 };

// The columns [from, to) of one tile: activation rows from m on x one panel.
struct tile {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  int64_t m, panel;
  int64_t from, to;
  const uint8_t *codes;  // columns [from, to) as operands: [columns/4][operands][2][32]
  const int8_t *q;       // activation rows, column 0
  const struct strata_group_rows *groups;
  const uint8_t *table;
  __m256 *a1;        // [rows][2]
  __m256i *partial;  // [rows][2]: sums of a group that is not finished
};

STRATA_INLINE void unpack_bits(const struct tile *t, int bits, uint8_t *out) {
  int operands = strata_operands(bits);
  int64_t line = strata_line(t->w, t->panel, t->from / STRATA_BLOCK_COLUMNS);
  for (int64_t k = t->from; k < t->to; k += STRATA_BLOCK_COLUMNS, line += 64) {
#pragma GCC unroll 2
    for (int operand = 0; operand < operands; operand++) {
      for (int half = 0; half < 2; half++) {
        __m256i codes[8];
        strata_unpack_operand(t->w->planes, line + 32 * half, bits, operand, codes);
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
          uint8_t *at = out + (i * operands + operand) * 64 + half * 32;
          _mm256_store_si256((__m256i *)at, codes[i]);
        }
      }
    }
    out += 512 * operands;
  }
}

static void unpack(const struct tile *t, uint8_t *out) {
#define UNPACK(bits) unpack_bits(t, bits, out)
  STRATA_FOR_BITS(t->w->bits, UNPACK);
#undef UNPACK
}

// Adds a group's share to the sums of its rows.
STRATA_INLINE void add_group(const struct tile *t, int64_t g, int rows, const __m256i *dot) {
  const uint8_t *table = t->table + g * 2 * STRATA_PANEL_ROWS;
  strata_add_group(table, t->groups + g, rows, dot, t->a1, 2);
}

STRATA_INLINE void clear(__m256i *registers, int count) {
#pragma GCC unroll 8
  for (int i = 0; i < count; i++) {
    registers[i] = _mm256_setzero_si256();
  }
}

// Sums of 16 bits over columns [k, stop), `unit` steps at a time.
STRATA_INLINE void sum_products(const struct tile *t, int64_t k, int64_t stop, int rows, int unit,
                                int operands, __m256i brief[TILE_SUMS]) {
  const int vectors = 2 * operands;
  const uint8_t *codes = t->codes + (k - t->from) * STRATA_PANEL_ROWS * operands;
  const int8_t *q[TILE_ROWS];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    q[r] = t->q + r * t->w->columns;
  }
  clear(brief, rows * vectors);
#pragma GCC unroll 1
  for (; k < stop; k += 4 * unit) {
#pragma GCC unroll 8
    for (int i = 0; i < unit; i++) {
      __m256i four[TILE_ROWS];
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        four[r] = strata_broadcast4(q[r] + k + 4 * i);
      }
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++, codes += 32) {
        __m256i code = _mm256_load_si256((const __m256i *)codes);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
          brief[r * vectors + v] = strata_add_products(brief[r * vectors + v], code, four[r]);
        }
      }
    }
  }
}

STRATA_INLINE void copy(const __m256i *from, __m256i *to, int count) {
#pragma GCC unroll 8
  for (int i = 0; i < count; i++) {
    to[i] = from[i];
  }
}

// Codes that are one operand, `unit` steps at a time. `rows`, `unit` and `whole` are constants;
// `whole`: the sums of a group fit into 16 bits. Otherwise those of 32 bits lie in memory.
STRATA_INLINE void run_narrow(const struct tile *t, int rows, int unit, int whole) {
  const int64_t group = t->w->group, brief_columns = 4 * strata_brief_steps(t->w->bits);
  const __m256i worth = _mm256_set1_epi16(strata_operand_worth(t->w->bits, 0));
  __m256i *partial = t->partial;
  int64_t g = t->from / group;
  int starts = t->from == g * group;
  for (int64_t k = t->from; k < t->to;) {
    int64_t end = (g + 1) * group;
    int64_t stop = whole ? end : strata_smaller(k + brief_columns, strata_smaller(end, t->to));
    __m256i sums[TILE_SUMS];
    sum_products(t, k, stop, rows, unit, 1, sums);
#pragma GCC unroll 8
    for (int i = 0; i < rows * 2; i++) {
      sums[i] = _mm256_madd_epi16(sums[i], worth);
      if (!whole && !starts) {
        sums[i] = _mm256_add_epi32(sums[i], partial[i]);
      }
    }
    k = stop;
    starts = whole || k == end;
    if (starts) {
      add_group(t, g++, rows, sums);
    } else {
      copy(sums, partial, rows * 2);
    }
  }
}

// As strata_add_products.
STRATA_INLINE void add_widened(__m256i *sum, __m256i brief, __m256i worth) {
  __m256i words = _mm256_madd_epi16(brief, worth);
  __asm__("vpaddd %1, %0, %0" : "+x"(*sum) : "x"(words));
}

// Codes of which one or two steps fit into 16 bits: their sums are widened at once and stay in
// registers. `rows` and `steps` are constants.
STRATA_INLINE void run_short(const struct tile *t, int rows, int steps) {
  const int64_t group = t->w->group, pitch = t->w->columns;
  const __m256i worth = _mm256_set1_epi16(strata_operand_worth(t->w->bits, 0));
  const uint8_t *codes = t->codes;
  int64_t g = t->from / group;
  int starts = t->from == g * group;
  for (int64_t k = t->from; k < t->to;) {
    __m256i sums[TILE_SUMS];
#pragma GCC unroll 8
    for (int i = 0; i < rows * 2; i++) {
      sums[i] = starts ? _mm256_setzero_si256() : t->partial[i];
    }
    int64_t stop = strata_smaller((g + 1) * group, t->to);
#pragma GCC unroll 1
    for (; k < stop; k += 4 * STRATA_BLOCK_STEPS) {
#pragma GCC unroll 8
      for (int i = 0; i < STRATA_BLOCK_STEPS; i += steps, codes += 64 * steps) {
        const __m256i *code = (const __m256i *)codes;
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
          const int8_t *q = t->q + r * pitch + k + 4 * i;
          __m256i four = strata_broadcast4(q);
          __m256i next = strata_broadcast4(q + 4 * (steps - 1));
#pragma GCC unroll 2
          for (int j = 0; j < 2; j++) {
            __m256i brief = _mm256_maddubs_epi16(code[j], four);
            if (steps > 1) {
              brief = strata_add_products(brief, code[j + 2], next);
            }
            add_widened(&sums[r * 2 + j], brief, worth);
          }
        }
      }
    }
    starts = k == (g + 1) * group;
    if (starts) {
      add_group(t, g++, rows, sums);
    } else {
      copy(sums, t->partial, rows * 2);
    }
  }
}

// Sums of a block of codes that are two operands, in 32 bits.
STRATA_INLINE void sum_block(const struct tile *t, int64_t k, int rows, __m256i *sums) {
  const __m256i upper = _mm256_set1_epi16(strata_operand_worth(t->w->bits, 0));
  const __m256i lower = _mm256_set1_epi16(strata_operand_worth(t->w->bits, 1));
  __m256i brief[TILE_SUMS];
  sum_products(t, k, k + STRATA_BLOCK_COLUMNS, rows, STRATA_BLOCK_STEPS, 2, brief);
#pragma GCC unroll 4
  for (int i = 0; i < rows * 2; i++) {
    const __m256i *of = brief + i / 2 * 4 + i % 2;
    sums[i] = _mm256_add_epi32(_mm256_madd_epi16(of[0], upper), _mm256_madd_epi16(of[2], lower));
  }
}

// Codes that are two operands: half the rows leave registers for sums of 32 bits. `rows` and
// `whole` are constants; `whole`: a group is a block.
STRATA_INLINE void run_wide(const struct tile *t, int rows, int whole) {
  const int64_t group = t->w->group;
  int64_t g = t->from / group;
  int starts = t->from == g * group;
  for (int64_t k = t->from; k < t->to;) {
    __m256i sums[TILE_SUMS / 2];
    sum_block(t, k, rows, sums);
    if (!whole && !starts) {
#pragma GCC unroll 4
      for (int i = 0; i < rows * 2; i++) {
        sums[i] = _mm256_add_epi32(sums[i], t->partial[i]);
      }
    }
    k += STRATA_BLOCK_COLUMNS;
    int64_t stop = whole ? k : strata_smaller((g + 1) * group, t->to);
#pragma GCC unroll 1
    for (; k < stop; k += STRATA_BLOCK_COLUMNS) {
      __m256i more[TILE_SUMS / 2];
      sum_block(t, k, rows, more);
#pragma GCC unroll 4
      for (int i = 0; i < rows * 2; i++) {
        sums[i] = _mm256_add_epi32(sums[i], more[i]);
      }
    }
    starts = whole || k == (g + 1) * group;
    if (starts) {
      add_group(t, g++, rows, sums);
    } else {
      copy(sums, t->partial, rows * 2);
    }
  }
}

// `run` and what begins and ends a tile, for a constant number of rows.
#define TILE(rows, run)                                                           \
  do {                                                                            \
    if (t->from == 0) {                                                           \
      clear((__m256i *)t->a1, 2 * (rows));                                        \
    }                                                                             \
    run;                                                                          \
    if (t->to == t->w->columns) {                                                 \
      strata_finish_panel(t->w, t->e, t->m, t->panel, t->groups, rows, t->a1, 2); \
    }                                                                             \
  } while (0)

#define WIDE(whole)                 \
  if (rows == 1) {                  \
    TILE(1, run_wide(t, 1, whole)); \
  } else {                          \
    TILE(2, run_wide(t, 2, whole)); \
  }

#define NARROW(unit, whole)                                 \
  switch (rows) {                                           \
    case 1: TILE(1, run_narrow(t, 1, unit, whole)); break;  \
    case 2: TILE(2, run_narrow(t, 2, unit, whole)); break;  \
    case 3: TILE(3, run_narrow(t, 3, unit, whole)); break;  \
    default: TILE(4, run_narrow(t, 4, unit, whole)); break; \
  }

#define SHORT(steps)                                 \
  switch (rows) {                                    \
    case 1: TILE(1, run_short(t, 1, steps)); break;  \
    case 2: TILE(2, run_short(t, 2, steps)); break;  \
    case 3: TILE(3, run_short(t, 3, steps)); break;  \
    default: TILE(4, run_short(t, 4, steps)); break; \
  }

static void run(const struct tile *t, int64_t rows) {
  int steps = strata_brief_steps(t->w->bits);
  if (strata_operands(t->w->bits) > 1) {
    if (t->w->group == STRATA_BLOCK_COLUMNS) {
      WIDE(1)
    } else {
      WIDE(0)
    }
  } else if (t->w->group <= 4 * steps) {
    NARROW(8, 1)
  } else if (steps >= 8) {
    NARROW(8, 0)
  } else if (steps == 4) {
    NARROW(4, 0)
  } else if (steps == 2) {
    SHORT(2)
  } else {
    SHORT(1)
  }
}

void strata_block_wba8_x4x16__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                   const struct strata_epilogue *e, void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  int64_t most = TILE_ROWS / strata_operands(w->bits);
  int64_t groups = strata_group_count(w);
  struct tile t = {.w = w, .e = e, .codes = memory.codes};
  for (int64_t first = 0; first < x->count;) {
    int64_t count = strata_even_part(x->count - first, BLOCK_ROWS);
    struct strata_group_rows *corrections = strata_wide_memory(w, scratch).groups;
    for (int64_t m = 0, rows; m < count; m += rows, corrections += groups) {
      rows = strata_even_part(count - m, most);
      strata_group_rows(w, x, first + m, rows, corrections);
    }
    for (t.panel = 0; t.panel < strata_panels(w); t.panel++) {
      t.table = strata_group(w, t.panel, 0);
      for (t.from = 0; t.from < w->columns; t.from = t.to) {
        t.to = strata_block_end(w, t.from);
        unpack(&t, memory.codes);
        t.groups = strata_wide_memory(w, scratch).groups;
        for (int64_t m = 0, rows; m < count; m += rows, t.groups += groups) {
          rows = strata_even_part(count - m, most);
          t.m = first + m;
          t.q = x->codes + t.m * w->columns;
          t.a1 = (__m256 *)memory.a1 + m * 2;
          t.partial = (__m256i *)memory.partial + m * 2;
          run(&t, rows);
        }
      }
    }
    first += count;
  }
}
