#include <string.h>

#include "block/block.h"
#include "block/tiling.h"
#include "unpack_avx512.h"
#include "weights.h"

enum { TILE_ROWS = 12 };

// The codes of two panels, columns [from, to), as [columns/4][2][64]. A panel that does not exist
// gets zeros.
STRATA_INLINE void unpack_bits(const struct strata_weights *w, int64_t panel, int64_t from,
                               int64_t to, int bits, uint8_t *out) {
  int64_t panels = strata_panels(w);
  for (int64_t block = from / 32; block < to / 32; block++) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      __m512i codes[8];
      if (panel + j < panels) {
        strata_unpack(w->planes, strata_line(w, panel + j, block), bits, codes);
      } else {
        memset(codes, 0, sizeof codes);
      }
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
        _mm512_store_si512(out + i * 128 + j * 64, codes[i]);
      }
    }
    out += 1024;
  }
}

static void unpack(const struct strata_weights *w, int64_t panel, int64_t from, int64_t to,
                   uint8_t *out) {
  switch (w->bits) {
    case 1: unpack_bits(w, panel, from, to, 1, out); break;
    case 2: unpack_bits(w, panel, from, to, 2, out); break;
    case 3: unpack_bits(w, panel, from, to, 3, out); break;
    case 4: unpack_bits(w, panel, from, to, 4, out); break;
    case 5: unpack_bits(w, panel, from, to, 5, out); break;
    case 6: unpack_bits(w, panel, from, to, 6, out); break;
    case 7: unpack_bits(w, panel, from, to, 7, out); break;
    default: unpack_bits(w, panel, from, to, 8, out); break;
  }
}

// The columns [from, to) of one tile: `rows` activation rows x 2 panels.
struct tile {
  const uint8_t *codes;  // unpacked columns [from, to)
  const int8_t *q;       // activation rows, column 0
  int64_t pitch;
  const int32_t *sums;  // [rows][groups]
  const float *scales;  // [rows][groups]
  int64_t from, to, group, groups;
  int32_t centre;
  const uint8_t *tables[2];  // group tables of the panels, group 0
  float *a1;                 // [rows][2][16]
  int32_t *partial;          // [rows][2][16]: sums of a group that is not finished
};

// A sum starts at -(centre/2) * sum of the activations, so that the finished value is I/2, or
// (I + sum)/2 where the centre is odd; doubling a float or a scale is exact.
STRATA_INLINE void run_tile(const struct tile *t, int rows) {
  __m512i acc[TILE_ROWS][2];
  const uint8_t *codes = t->codes;
  for (int64_t k = t->from; k < t->to;) {
    int64_t g = k / t->group;
    int64_t end = (g + 1) * t->group < t->to ? (g + 1) * t->group : t->to;
    int starts = k == g * t->group;
    int ends = end == (g + 1) * t->group;
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      if (starts) {
        acc[r][0] = acc[r][1] = _mm512_set1_epi32(-(t->centre >> 1) * t->sums[r * t->groups + g]);
      } else {
        acc[r][0] = _mm512_load_si512(t->partial + r * 32);
        acc[r][1] = _mm512_load_si512(t->partial + r * 32 + 16);
      }
    }
    for (; k < end; k += 4) {
      __m512i u0 = _mm512_load_si512(codes);
      __m512i u1 = _mm512_load_si512(codes + 64);
      codes += 128;
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        __m512i q = strata_broadcast4(t->q + r * t->pitch + k);
        acc[r][0] = strata_dot(acc[r][0], u0, q);
        acc[r][1] = strata_dot(acc[r][1], u1, q);
      }
    }
    if (!ends) {
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        _mm512_store_si512(t->partial + r * 32, acc[r][0]);
        _mm512_store_si512(t->partial + r * 32 + 16, acc[r][1]);
      }
      continue;
    }
    __m512 scale[2];
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      scale[j] = strata_scale_codes(t->tables[j] + g * 32);
      if (t->centre % 2 == 0) {
        scale[j] = _mm512_add_ps(scale[j], scale[j]);
      }
    }
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      __m512 by = _mm512_set1_ps(t->scales[r * t->groups + g]);
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        __m512i sum = acc[r][j];
        if (t->centre % 2 != 0) {
          sum = _mm512_sub_epi32(_mm512_add_epi32(sum, sum),
                                 _mm512_set1_epi32(t->sums[r * t->groups + g]));
        }
        float *a1 = t->a1 + r * 32 + j * 16;
        __m512 scaled = _mm512_mul_ps(by, _mm512_cvtepi32_ps(sum));
        _mm512_store_ps(a1, _mm512_fmadd_ps(scale[j], scaled, _mm512_load_ps(a1)));
      }
    }
  }
}

// Sums of the offsets, then the epilogue, for the rows of one tile.
STRATA_INLINE void finish_tile(const struct strata_weights *w, const struct strata_epilogue *e,
                               const struct tile *t, int64_t m, int64_t panel, int rows) {
  __m512 a2[TILE_ROWS][2];
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    a2[r][0] = a2[r][1] = _mm512_setzero_ps();
  }
  for (int64_t g = 0; g < t->groups; g++) {
    __m512 offset0 = strata_offset_codes(t->tables[0] + g * 32);
    __m512 offset1 = strata_offset_codes(t->tables[1] + g * 32);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      __m512 sum = _mm512_mul_ps(_mm512_set1_ps(t->scales[r * t->groups + g]),
                                 strata_broadcast_float(t->sums + r * t->groups + g));
      a2[r][0] = _mm512_fmadd_ps(offset0, sum, a2[r][0]);
      a2[r][1] = _mm512_fmadd_ps(offset1, sum, a2[r][1]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      strata_store16(w, e, m + r, panel + j, strata_panel_mask(w, panel + j),
                     _mm512_load_ps(t->a1 + r * 32 + j * 16), a2[r][j]);
    }
  }
}

#define FOR_ROWS(rows, call)  \
  switch (rows) {             \
    case 1: call(1); break;   \
    case 2: call(2); break;   \
    case 3: call(3); break;   \
    case 4: call(4); break;   \
    case 5: call(5); break;   \
    case 6: call(6); break;   \
    case 7: call(7); break;   \
    case 8: call(8); break;   \
    case 9: call(9); break;   \
    case 10: call(10); break; \
    case 11: call(11); break; \
    default: call(12); break; \
  }

static void run(const struct tile *t, int64_t rows) {
#define RUN(count) run_tile(t, count)
  FOR_ROWS(rows, RUN)
#undef RUN
}

static void finish(const struct strata_weights *w, const struct strata_epilogue *e,
                   const struct tile *t, int64_t m, int64_t panel, int64_t rows) {
#define FINISH(count) finish_tile(w, e, t, m, panel, count)
  FOR_ROWS(rows, FINISH)
#undef FINISH
}

void strata_block_wba8_x12x32__avx512(const struct strata_weights *w, const struct strata_rows *x,
                                      const struct strata_epilogue *e, void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  int64_t groups = strata_group_count(w);
  int64_t panels = strata_panels(w);
  for (int64_t first = 0; first < x->count;) {
    int64_t count = strata_even_part(x->count - first, BLOCK_ROWS);
    int64_t pitch;
    const int8_t *q = strata_block_pack(w, x, first, count, memory.packed, &pitch);
    for (int64_t panel = 0; panel < panels; panel += 2) {
      struct tile t = {
          .pitch = pitch,
          .group = w->group,
          .groups = groups,
          .centre = strata_centre(w),
          .codes = memory.codes,
          .tables = {strata_group(w, panel, 0),
                     strata_group(w, panel + 1 < panels ? panel + 1 : panel, 0)},
      };
      memset(memory.a1, 0, (size_t)count * 32 * sizeof(float));
      for (t.from = 0; t.from < w->columns; t.from = t.to) {
        t.to = strata_block_end(w, t.from);
        unpack(w, panel, t.from, t.to, memory.codes);
        for (int64_t m = 0, rows; m < count; m += rows) {
          rows = strata_even_part(count - m, TILE_ROWS);
          t.q = q + m * pitch;
          t.sums = x->sums + (first + m) * groups;
          t.scales = x->scale + (first + m) * groups;
          t.a1 = memory.a1 + m * 32;
          t.partial = memory.partial + m * 32;
          run(&t, rows);
        }
      }
      for (int64_t m = 0, rows; m < count; m += rows) {
        rows = strata_even_part(count - m, TILE_ROWS);
        t.sums = x->sums + (first + m) * groups;
        t.scales = x->scale + (first + m) * groups;
        t.a1 = memory.a1 + m * 32;
        finish(w, e, &t, first + m, panel, rows);
      }
    }
    first += count;
  }
}
