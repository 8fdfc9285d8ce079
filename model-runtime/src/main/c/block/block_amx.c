#include <string.h>

#include "block/block.h"
#include "block/finish_avx512.h"
#include "block/tiling.h"
#include "tiles_amx.h"
#include "weights.h"

// 32 rows x 2 panels at a time, over as many columns as leave codes, activations and sums in the
// level 1 cache. While tiles are multiplied only one vector unit works, so that first all products
// are made, then the vector units take them into the float sums.
enum { TILES = 2, PAIR_ROWS = TILES * STRATA_TILE_ROWS, PART_GROUPS = 2, HALVES = 256 };

// What activations bring to the formula, for all panels: [count][groups] each.
struct corrections {
  float *middle;  // groups of at most HALVES: centre / 2 * sum, otherwise int32: centre * sum
  float *mean;    // scale * sum
  int32_t *pair;  // the sums of this group and the next, 16 bits each
  int integers;
};

// A chunk of activation rows x the panels from `panel` on.
struct tile {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  int64_t first;       // the chunk's first row
  const float *scale;  // [rows of the chunk][groups]
  struct corrections corrections;
  int64_t groups;
  int ones;         // every code of the rows is worth 1
  const int8_t *q;  // the chunk's rows, column 0
  int64_t pitch, step;
  int64_t rows;  // of the registers
  int64_t panel;
  uint8_t *codes;  // [columns of a part/4][2][64]
};

// What is multiplied at a time: up to two registers full of the chunk's rows, the columns
// [from, to). Where the last register would go beyond the chunk it begins earlier; rows that it
// computes again are not stored again.
struct part {
  int tiles;
  int64_t rows[TILES];    // first row
  int64_t stored[TILES];  // first row to be stored
  int64_t from, to;
  int32_t *sums;  // [PART_GROUPS][PAIR_ROWS][2][16]
  float *a1;      // [PAIR_ROWS][2][16]
};

// A panel that does not exist repeats the last, unstored.
STRATA_INLINE int64_t panel_of(const struct tile *t, int j) {
  int64_t last = strata_panels(t->w) - 1;
  return t->panel + j < last ? t->panel + j : last;
}

STRATA_INLINE void unpack_bits(const struct tile *t, int64_t from, int64_t to, int bits) {
  uint8_t *out = t->codes;
  for (int64_t block = from / 32; block < to / 32; block++, out += 1024) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      __m512i codes[8];
      strata_unpack(t->w->planes, strata_line(t->w, panel_of(t, j), block), bits, codes);
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
        _mm512_store_si512(out + i * 128 + j * 64, codes[i]);
      }
    }
  }
}

static void unpack(const struct tile *t, int64_t from, int64_t to) {
  switch (t->w->bits) {
    case 1: unpack_bits(t, from, to, 1); break;
    case 2: unpack_bits(t, from, to, 2); break;
    case 3: unpack_bits(t, from, to, 3); break;
    case 4: unpack_bits(t, from, to, 4); break;
    case 5: unpack_bits(t, from, to, 5); break;
    case 6: unpack_bits(t, from, to, 6); break;
    case 7: unpack_bits(t, from, to, 7); break;
    default: unpack_bits(t, from, to, 8); break;
  }
}

// Takes sums of `count` groups into the float sums. With `halves` the finished value is I/2, a half
// of an integer below 2^23, which has a float; doubling the scale is exact.
STRATA_INLINE void add_groups(const struct tile *t, const struct part *p, int count, int halves,
                              int ones) {
  const int64_t g = p->from / t->w->group;
  const __mmask16 later = g > 0 ? 0xffff : 0;  // the sums before the first group are zero
  for (int j = 0; j < 2; j++) {
    __m512 scale[PART_GROUPS];
#pragma GCC unroll 2
    for (int k = 0; k < count; k++) {
      scale[k] = strata_scale_codes(strata_group(t->w, panel_of(t, j), g + k));
      scale[k] = halves ? _mm512_add_ps(scale[k], scale[k]) : scale[k];
    }
    for (int i = 0; i < p->tiles; i++) {
      const float *middle = t->corrections.middle + p->rows[i] * t->groups + g;
      const float *by = t->scale + p->rows[i] * t->groups + g;
      const int32_t *sum = p->sums + i * STRATA_TILE_ROWS * 32 + j * 16;
      float *at = p->a1 + i * STRATA_TILE_ROWS * 32 + j * 16;
      for (int64_t r = 0; r < t->rows; r++) {
        __m512 a1 = _mm512_maskz_load_ps(later, at);
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) {
          __m512i dot = _mm512_load_si512(sum + k * PAIR_ROWS * 32);
          __m512 value;
          if (halves) {
            value = _mm512_sub_ps(_mm512_cvtepi32_ps(dot), _mm512_set1_ps(middle[k]));
          } else {
            __m512i centre = _mm512_castps_si512(_mm512_set1_ps(middle[k]));
            __m512i twice = _mm512_add_epi32(dot, dot);
            value = _mm512_cvtepi32_ps(_mm512_sub_epi32(twice, centre));
          }
          value = ones ? value : _mm512_mul_ps(_mm512_set1_ps(by[k]), value);
          a1 = _mm512_fmadd_ps(scale[k], value, a1);
        }
        _mm512_store_ps(at, a1);
        sum += 32;
        at += 32;
        middle += t->groups;
        by += t->groups;
      }
    }
  }
}

static void add(const struct tile *t, const struct part *p) {
  int two = p->to - p->from > t->w->group;
  if (t->w->group > HALVES) {
    add_groups(t, p, 1, 0, 0);
  } else if (t->ones) {
    two ? add_groups(t, p, 2, 1, 1) : add_groups(t, p, 1, 1, 1);
  } else {
    two ? add_groups(t, p, 2, 1, 0) : add_groups(t, p, 1, 1, 0);
  }
}

// `count` of the chunk's rows, from row m on, from their float sums to the outputs.
static void finish(const struct tile *t, int64_t m, int64_t count, const float *a1) {
  for (int64_t rows; count > 0; m += rows, a1 += rows * 32, count -= rows) {
    rows = strata_even_part(count, FINISHED_ROWS);
    const struct strata_finish_rows what = {.mean = t->corrections.mean + m * t->groups,
                                            .pair = t->corrections.pair + m * t->groups,
                                            .row = t->groups,
                                            .group = 1,
                                            .integers = t->corrections.integers};
    __m512 sums[FINISHED_ROWS][2];
    switch (rows) {
#define ROWS(n)                                                             \
  case n:                                                                   \
    for (int i = 0; i < n; i++) {                                           \
      sums[i][0] = _mm512_load_ps(a1 + i * 32);                             \
      sums[i][1] = _mm512_load_ps(a1 + i * 32 + 16);                        \
    }                                                                       \
    strata_finish_rows(t->w, t->e, t->first + m, t->panel, &what, n, sums); \
    break;
      ROWS(1)
      ROWS(2)
      ROWS(3)
      ROWS(4)
      ROWS(5)
      ROWS(6)
#undef ROWS
      default: break;
    }
  }
}

STRATA_INLINE void multiply_tiles(const struct tile *t, const struct part *p, int tiles) {
  int64_t group = t->w->group;
  int32_t *sums = p->sums;
  for (int64_t from = p->from, to; from < p->to; from = to, sums += PAIR_ROWS * 32) {
    to = from + group < p->to ? from + group : p->to;
    const struct strata_tile_rows q = {.first = t->q + p->rows[0] * t->pitch + from,
                                       .second = t->q + p->rows[1] * t->pitch + from,
                                       .pitch = t->pitch,
                                       .next = t->step};
    strata_tile_products(q, t->codes + (from - p->from) * 32, to - from, t->step, tiles, 2,
                         from % group == 0, sums);
  }
}

// Where this ends a row of the product, the cache fetches meanwhile what will be written.
static void multiply(const struct tile *t, const struct part *p) {
  for (int i = 0; i < p->tiles && p->to == t->w->columns; i++) {
    const float *out = t->e->out + (t->first + p->rows[i]) * t->e->out_stride;
    for (int64_t r = 0; r < t->rows; r++, out += t->e->out_stride) {
      __builtin_prefetch(out + t->panel * STRATA_PANEL_ROWS, 1);
      __builtin_prefetch(out + (t->panel + 1) * STRATA_PANEL_ROWS, 1);
    }
  }
  p->tiles == TILES ? multiply_tiles(t, p, TILES) : multiply_tiles(t, p, 1);
}

// What comes behind the products of a part.
static void take(const struct tile *t, const struct part *p) {
  if (p->tiles > 0 && p->to % t->w->group == 0) {
    add(t, p);
  }
  for (int i = 0; i < p->tiles && p->to == t->w->columns; i++) {
    int64_t skipped = p->stored[i] - p->rows[i];
    finish(t, p->stored[i], t->rows - skipped, p->a1 + (i * STRATA_TILE_ROWS + skipped) * 32);
  }
}

static struct corrections correct(const struct strata_weights *w, const struct strata_rows *x,
                                  int64_t first, int64_t rows, int ones, void *scratch) {
  enum { SHORT_GROUP = 255, LARGEST_OFFSET = 128 };
  int64_t groups = strata_group_count(w), count = rows * groups;
  const int32_t *sums = x->sums + first * groups;
  const float *scale = x->scale + first * groups;
  struct corrections c = {.middle = scratch};
  c.mean = c.middle + count;
  c.pair = (int32_t *)(c.mean + count);
  int32_t centre = strata_centre(w), *middles = (int32_t *)c.middle;
  if (w->group > HALVES) {
    for (int64_t i = 0; i < count; i++) {
      middles[i] = centre * sums[i];
    }
  } else {
    float half = 0.5f * (float)centre;
    for (int64_t i = 0; i < count; i++) {
      c.middle[i] = half * (float)sums[i];
    }
  }
  int32_t largest = 0;
  for (int64_t i = 0; i < count; i++) {
    int32_t size = sums[i] < 0 ? -sums[i] : sums[i];
    c.mean[i] = scale[i] * (float)sums[i];
    largest = size > largest ? size : largest;
  }
  c.integers = ones && w->group <= SHORT_GROUP && largest * groups * LARGEST_OFFSET <= 1 << 24;
  if (c.integers) {
    for (int64_t i = 0; i < count - 1; i++) {
      c.pair[i] = (int32_t)((uint32_t)sums[i + 1] << 16 | (uint16_t)sums[i]);
    }
    c.pair[count - 1] = (uint16_t)sums[count - 1];
  }
  return c;
}

// Loads of what tiles have just stored wait until it has left for the cache, so a part's sums are
// taken when the next part's products are under way.
static void run(struct tile *t, int64_t count, struct strata_block_memory memory) {
  int64_t columns = t->w->columns, group = t->w->group;
  int64_t most = PART_GROUPS * group < BLOCK_COLUMNS ? PART_GROUPS * group : BLOCK_COLUMNS;
  // Parts of a group longer than they are go on with their rows' sums.
  int lags = group <= most || count > PAIR_ROWS;
  for (t->panel = 0; t->panel < strata_panels(t->w); t->panel += 2) {
    struct part last = {0};
    int turn = 0;
    for (int64_t from = 0, to; from < columns; from = to) {
      to = strata_part_end(t->w, from, most);
      unpack(t, from, to);
      for (int64_t m = 0; m < count; m += PAIR_ROWS, turn ^= 1) {
        struct part part = {.from = from, .to = to, .a1 = memory.a1 + m * 32};
        for (int64_t row = m; row < count && part.tiles < TILES; row += STRATA_TILE_ROWS) {
          part.stored[part.tiles] = row;
          part.rows[part.tiles++] = row < count - t->rows ? row : count - t->rows;
        }
        int32_t *sums =
            memory.partial + (group > most ? m * 32 : turn * PART_GROUPS * PAIR_ROWS * 32);
        part.sums = sums;
        if (lags) {
          multiply(t, &part);
          take(t, &last);
        } else {
          take(t, &last);
          multiply(t, &part);
        }
        last = part;
      }
    }
    take(t, &last);
  }
}

void strata_block_wba8_x32x32__amx(const struct strata_weights *w, const struct strata_rows *x,
                                   const struct strata_epilogue *e, void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  struct tile t = {.w = w, .e = e, .groups = strata_group_count(w), .codes = memory.codes};
  t.step = w->group % STRATA_TILE_COLUMNS == 0 ? STRATA_TILE_COLUMNS : STRATA_TILE_COLUMNS / 2;
  t.ones = strata_all_ones(x->scale, x->count * t.groups);
  for (int64_t count; t.first < x->count; t.first += count) {
    count = strata_even_part(x->count - t.first, BLOCK_TILED_ROWS);
    t.q = strata_block_pack(w, x, t.first, count, memory.packed, &t.pitch);
    t.scale = x->scale + t.first * t.groups;
    t.corrections = correct(w, x, t.first, count, t.ones, strata_wide_memory(w, scratch).groups);
    t.rows = count < STRATA_TILE_ROWS ? count : STRATA_TILE_ROWS;
    strata_tiles_shape(t.rows, t.step, STRATA_PANEL_ROWS);
    run(&t, count, memory);
    strata_tiles_release();
  }
}
