#include <string.h>

#include "block/block.h"
#include "block/finish_avx512.h"
#include "block/tiling.h"
#include "weights.h"

// 6 rows x 2 panels: 12 sums of products and 12 of groups stay in registers. A larger tile would
// have to store the latter at each group, and a 64-byte store costs as much as two dots on Zen 4.
enum { TILE_ROWS = WIDE_TILE_ROWS, HALVES = 256 };

// What the rows of a tile need besides their products, for one group.
struct group {
  int32_t start[TILE_ROWS];  // -(centre/2) * sum of the activations
  int32_t minus[TILE_ROWS];  // -sum
  float half[TILE_ROWS];     // -sum/2
  float scale[TILE_ROWS];
  float mean[TILE_ROWS];    // scale * sum
  int32_t pair[TILE_ROWS];  // in even groups: the sums of this group and the next, 16 bits each
};

// The columns [from, to) of one tile: activation rows from m on x the panels from `panel` on.
struct tile {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  int64_t m, panel;
  int64_t from, to;
  int ones;         // every code of the rows is worth 1
  int integers;     // the offsets' sums are integers below 2^24
  uint8_t *codes;   // columns [from, to) of both panels, unpacked: [columns/4][2][64]
  const int8_t *q;  // activation rows, column 0
  int64_t pitch;
  const struct group *groups;
  const uint8_t *tables[2];  // group tables of the panels
  int64_t lines[2];          // where the panels begin in each plane
  float *a1;                 // [rows][2][16]
  int32_t *partial;          // [rows][2][16]: sums of a group that is not finished
};

// The codes of 32 columns of both panels.
STRATA_INLINE void unpack_block(const struct tile *t, int64_t block, int bits, uint8_t *out) {
#pragma GCC unroll 2
  for (int j = 0; j < 2; j++) {
    __m512i codes[8];
    strata_unpack(t->w->planes, t->lines[j] + block * 64, bits, codes);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      _mm512_store_si512(out + i * 128 + j * 64, codes[i]);
    }
  }
}

STRATA_INLINE void unpack_bits(const struct tile *t, int bits) {
  uint8_t *out = t->codes;
  for (int64_t block = t->from / 32; block < t->to / 32; block++, out += 1024) {
    unpack_block(t, block, bits, out);
  }
}

static void unpack(const struct tile *t) {
  switch (t->w->bits) {
    case 1: unpack_bits(t, 1); break;
    case 2: unpack_bits(t, 2); break;
    case 3: unpack_bits(t, 3); break;
    case 4: unpack_bits(t, 4); break;
    case 5: unpack_bits(t, 5); break;
    case 6: unpack_bits(t, 6); break;
    case 7: unpack_bits(t, 7); break;
    default: unpack_bits(t, 8); break;
  }
}

// What comes behind the last group.
STRATA_INLINE void finish(const struct tile *t, int rows, __m512 a1[TILE_ROWS][2]) {
  const struct strata_finish_rows what = {.mean = t->groups->mean,
                                          .pair = t->groups->pair,
                                          .row = 1,
                                          .group = sizeof *t->groups / sizeof(float),
                                          .integers = t->integers};
  strata_finish_rows(t->w, t->e, t->m, t->panel, &what, rows, a1);
}

// A sum starts at -(centre/2) * sum of the activations, so that the finished value is I/2, or
// (I + sum)/2 where the centre is odd. In groups of at most HALVES columns I/2 is a half of an
// integer below 2^23 and so has a float; doubling the scale is exact. With `bits` the tile
// unpacks its codes itself, group by group, which the processor does beside the dots.
STRATA_INLINE void run_tile(const struct tile *t, int rows, int odd, int bits) {
  __m512 a1[TILE_ROWS][2];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      a1[r][j] = t->from == 0 ? _mm512_setzero_ps() : _mm512_load_ps(t->a1 + r * 32 + j * 16);
    }
  }
  const struct strata_weights *w = t->w;
  if (t->to == w->columns) {  // the cache fetches meanwhile what the tile writes at its end
    const float *out = t->e->out + t->m * t->e->out_stride + t->panel * STRATA_PANEL_ROWS;
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __builtin_prefetch(out + r * t->e->out_stride, 1);
      __builtin_prefetch(out + r * t->e->out_stride + STRATA_PANEL_ROWS, 1);
    }
  }
  uint8_t *codes = t->codes;
  const int8_t *q = t->q + t->from;
  const int8_t *stop = t->q + t->to;
  int64_t pitch = t->pitch;
  int64_t columns = w->group;
  int64_t g = t->from / columns;
  const struct group *group = t->groups + g;
  const uint8_t *tables[2] = {t->tables[0] + g * 32, t->tables[1] + g * 32};
  int starts = t->from % columns == 0;
  int ends = t->to % columns == 0;
  while (q < stop) {
    const int8_t *end = starts && ends ? q + columns : stop;
    if (bits) {
      uint8_t *out = codes;
      int64_t last = (end - t->q) / 32;
      for (int64_t block = (q - t->q) / 32; block < last; block++, out += 1024) {
        unpack_block(t, block, bits, out);
      }
    }
    __m512i acc[TILE_ROWS][2];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      if (starts) {
        acc[r][0] = acc[r][1] = _mm512_set1_epi32(group->start[r]);
      } else {
        acc[r][0] = _mm512_load_si512(t->partial + r * 32);
        acc[r][1] = _mm512_load_si512(t->partial + r * 32 + 16);
      }
    }
    for (; q < end; q += 4, codes += 128) {
      __m512i u0 = _mm512_load_si512(codes);
      __m512i u1 = _mm512_load_si512(codes + 64);
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        __m512i four = strata_broadcast4(q + r * pitch);
        acc[r][0] = strata_dot(acc[r][0], u0, four);
        acc[r][1] = strata_dot(acc[r][1], u1, four);
      }
    }
    if (!ends) {
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        _mm512_store_si512(t->partial + r * 32, acc[r][0]);
        _mm512_store_si512(t->partial + r * 32 + 16, acc[r][1]);
      }
      break;
    }
    __m512 scale[2];
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      scale[j] = strata_scale_codes(tables[j]);
      scale[j] = _mm512_add_ps(scale[j], scale[j]);
      tables[j] += 32;
    }
    __m512 value[TILE_ROWS][2];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        if (odd && columns > HALVES) {
          __m512i twice = _mm512_add_epi32(acc[r][j], acc[r][j]);
          __m512i whole = _mm512_add_epi32(twice, _mm512_set1_epi32(group->minus[r]));
          value[r][j] = _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_cvtepi32_ps(whole));
          continue;
        }
        value[r][j] = _mm512_cvtepi32_ps(acc[r][j]);
        if (odd) {
          value[r][j] = _mm512_add_ps(value[r][j], _mm512_set1_ps(group->half[r]));
        }
      }
    }
    if (t->ones) {
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        a1[r][0] = _mm512_fmadd_ps(scale[0], value[r][0], a1[r][0]);
        a1[r][1] = _mm512_fmadd_ps(scale[1], value[r][1], a1[r][1]);
      }
    } else {
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        __m512 by = _mm512_set1_ps(group->scale[r]);
        a1[r][0] = _mm512_fmadd_ps(scale[0], _mm512_mul_ps(by, value[r][0]), a1[r][0]);
        a1[r][1] = _mm512_fmadd_ps(scale[1], _mm512_mul_ps(by, value[r][1]), a1[r][1]);
      }
    }
    group++;
  }
  if (t->to == w->columns) {
    finish(t, rows, a1);
    return;
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    _mm512_store_ps(t->a1 + r * 32, a1[r][0]);
    _mm512_store_ps(t->a1 + r * 32 + 16, a1[r][1]);
  }
}

// Every number of rows gets a loop of its own, and so do odd centres.
#define FOR_ROWS(odd)                       \
  switch (rows) {                           \
    case 1: run_tile(t, 1, odd, 0); break;  \
    case 2: run_tile(t, 2, odd, 0); break;  \
    case 3: run_tile(t, 3, odd, 0); break;  \
    case 4: run_tile(t, 4, odd, 0); break;  \
    case 5: run_tile(t, 5, odd, 0); break;  \
    default: run_tile(t, 6, odd, 0); break; \
  }

static void run(const struct tile *t, int64_t rows) {
  if (t->w->bits == 8) {
    FOR_ROWS(1)
  } else {
    FOR_ROWS(0)
  }
}

// A first tile of 5 or 6 rows is long enough to hide the unpacking.
static void unpack_and_run(const struct tile *t, int64_t rows) {
#define RUN(bits) rows == 6 ? run_tile(t, 6, bits == 8, bits) : run_tile(t, 5, bits == 8, bits)
  if (rows < 5) {
    unpack(t);
    run(t, rows);
    return;
  }
  switch (t->w->bits) {
    case 1: RUN(1); break;
    case 2: RUN(2); break;
    case 3: RUN(3); break;
    case 4: RUN(4); break;
    case 5: RUN(5); break;
    case 6: RUN(6); break;
    case 7: RUN(7); break;
    default: RUN(8); break;
  }
#undef RUN
}

// Group by group what a tile's rows need. Are the offsets' sums integers that have a float, if
// every code is worth 1?
static int correct(const struct strata_weights *w, const struct strata_rows *x, int64_t m,
                   int64_t rows, struct group *out) {
  enum { SHORT_GROUP = 255, LARGEST_OFFSET = 128 };
  int64_t groups = strata_group_count(w);
  int32_t half = strata_centre(w) >> 1;
  int integers = w->group <= SHORT_GROUP;
  for (int64_t r = 0; r < rows; r++) {
    const int32_t *sums = x->sums + (m + r) * groups;
    const float *scales = x->scale + (m + r) * groups;
    int64_t size = 0;
    for (int64_t g = 0; g < groups; g++) {
      int32_t next = g + 1 < groups ? sums[g + 1] : 0;
      out[g].start[r] = -half * sums[g];
      out[g].minus[r] = -sums[g];
      out[g].half[r] = -0.5f * (float)sums[g];
      out[g].scale[r] = scales[g];
      out[g].mean[r] = scales[g] * (float)sums[g];
      out[g].pair[r] = (int32_t)((uint32_t)next << 16 | (uint16_t)sums[g]);
      size += sums[g] < 0 ? -(int64_t)sums[g] : sums[g];
    }
    integers &= size * LARGEST_OFFSET <= 1 << 24;
  }
  return integers;
}

void strata_block_wba8_x6x32__avx512(const struct strata_weights *w, const struct strata_rows *x,
                                     const struct strata_epilogue *e, void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  struct strata_wide_memory wide = strata_wide_memory(w, scratch);
  int64_t groups = strata_group_count(w);
  int64_t panels = strata_panels(w);
  struct tile t = {.w = w, .e = e, .codes = wide.codes};
  t.ones = strata_all_ones(x->scale, x->count * groups);
  for (int64_t first = 0; first < x->count;) {
    int64_t count = strata_even_part(x->count - first, BLOCK_ROWS);
    const int8_t *q = strata_block_pack(w, x, first, count, memory.packed, &t.pitch);
    struct group *corrections = wide.groups;
    t.integers = t.ones;
    for (int64_t m = 0, rows; m < count; m += rows, corrections += groups) {
      rows = strata_even_part(count - m, TILE_ROWS);
      t.integers &= correct(w, x, first + m, rows, corrections);
    }
    for (t.panel = 0; t.panel < panels; t.panel += 2) {
      for (int64_t j = 0; j < 2; j++) {  // a panel that does not exist repeats the last, unstored
        int64_t panel = t.panel + j < panels ? t.panel + j : panels - 1;
        t.tables[j] = strata_group(w, panel, 0);
        t.lines[j] = strata_line(w, panel, 0);
      }
      for (t.from = 0; t.from < w->columns; t.from = t.to) {
        t.to = strata_part_end(w, t.from, WIDE_COLUMNS);
        t.groups = wide.groups;
        for (int64_t m = 0, rows; m < count; m += rows, t.groups += groups) {
          rows = strata_even_part(count - m, TILE_ROWS);
          t.m = first + m;
          t.q = q + m * t.pitch;
          t.a1 = memory.a1 + m * 32;
          t.partial = memory.partial + m * 32;
          m == 0 ? unpack_and_run(&t, rows) : run(&t, rows);
        }
      }
    }
    first += count;
  }
}
