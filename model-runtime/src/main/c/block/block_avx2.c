#include <string.h>

#include "block/block.h"
#include "block/tiling.h"
#include "unpack_avx2.h"
#include "weights.h"

enum { TILE_ROWS = 4 };

// The codes of one panel, columns [from, to), as [columns/4][64].
static void unpack(const struct strata_weights *w, int64_t panel, int64_t from, int64_t to,
                   uint8_t *out) {
  for (int64_t block = from / 32; block < to / 32; block++) {
    for (int half = 0; half < 2; half++) {
      __m256i codes[8];
      strata_unpack(w->planes, strata_line(w, panel, block) + 32 * half, w->bits, codes);
      for (int i = 0; i < 8; i++) {
        _mm256_storeu_si256((__m256i *)(out + i * 64 + half * 32), codes[i]);
      }
    }
    out += 512;
  }
}

// The columns [from, to) of one tile: `rows` activation rows x 1 panel.
struct tile {
  const uint8_t *codes;
  const int8_t *q;
  int64_t pitch;
  const int32_t *sums;
  const float *scales;  // [rows][groups]
  int64_t from, to, group, groups;
  int32_t centre;
  const uint8_t *table;
  float *a1;         // [rows][16]
  int32_t *partial;  // [rows][16]
};

// vpmaddubsw adds two products into 16 bits, which holds for codes up to 127: a code is taken as
// 2 * (U >> 1), and the eighth bit, where there is one, as a product of its own.
STRATA_INLINE void run_tile(const struct tile *t, int rows, int eighth) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i twos = _mm256_set1_epi16(2);
  __m256i acc[TILE_ROWS][2];
  const uint8_t *codes = t->codes;
  for (int64_t k = t->from; k < t->to;) {
    int64_t g = k / t->group;
    int64_t end = (g + 1) * t->group < t->to ? (g + 1) * t->group : t->to;
    int starts = k == g * t->group;
    int ends = end == (g + 1) * t->group;
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < 2; j++) {
        const __m256i *partial = (const __m256i *)(t->partial + r * 16 + j * 8);
        acc[r][j] = starts ? _mm256_setzero_si256() : _mm256_loadu_si256(partial);
      }
    }
    for (; k < end; k += 4, codes += 64) {
      for (int j = 0; j < 2; j++) {
        __m256i code = _mm256_loadu_si256((const __m256i *)(codes + 32 * j));
        __m256i upper = _mm256_and_si256(_mm256_srli_epi16(code, 1), _mm256_set1_epi8(0x7f));
        __m256i last = _mm256_and_si256(code, _mm256_set1_epi8(1));
        for (int r = 0; r < rows; r++) {
          __m256i q = strata_broadcast4(t->q + r * t->pitch + k);
          __m256i products = _mm256_madd_epi16(_mm256_maddubs_epi16(upper, q), twos);
          acc[r][j] = _mm256_add_epi32(acc[r][j], products);
          if (eighth) {
            products = _mm256_madd_epi16(_mm256_maddubs_epi16(last, q), ones);
            acc[r][j] = _mm256_add_epi32(acc[r][j], products);
          }
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < 2; j++) {
        if (!ends) {
          _mm256_storeu_si256((__m256i *)(t->partial + r * 16 + j * 8), acc[r][j]);
          continue;
        }
        int32_t middle = t->centre * t->sums[r * t->groups + g];
        __m256i whole =
            _mm256_sub_epi32(_mm256_add_epi32(acc[r][j], acc[r][j]), _mm256_set1_epi32(middle));
        float *a1 = t->a1 + r * 16 + j * 8;
        __m256 scale = strata_scale_codes(t->table + g * 32, j);
        __m256 scaled =
            _mm256_mul_ps(_mm256_set1_ps(t->scales[r * t->groups + g]), _mm256_cvtepi32_ps(whole));
        _mm256_storeu_ps(a1, _mm256_fmadd_ps(scale, scaled, _mm256_loadu_ps(a1)));
      }
    }
  }
}

static void run(const struct tile *t, int64_t rows, int eighth) {
  switch (rows + 4 * eighth) {
    case 1: run_tile(t, 1, 0); break;
    case 2: run_tile(t, 2, 0); break;
    case 3: run_tile(t, 3, 0); break;
    case 4: run_tile(t, 4, 0); break;
    case 5: run_tile(t, 1, 1); break;
    case 6: run_tile(t, 2, 1); break;
    case 7: run_tile(t, 3, 1); break;
    default: run_tile(t, 4, 1); break;
  }
}

static void finish(const struct strata_weights *w, const struct strata_rows *x,
                   const struct strata_epilogue *e, int64_t m, int64_t panel, const float *a1) {
  int64_t groups = strata_group_count(w);
  const uint8_t *table = strata_group(w, panel, 0);
  for (int j = 0; j < 2; j++) {
    __m256 a2 = _mm256_setzero_ps();
    for (int64_t g = 0; g < groups; g++) {
      __m256 sum = _mm256_set1_ps(x->scale[m * groups + g] * (float)x->sums[m * groups + g]);
      a2 = _mm256_fmadd_ps(strata_offset_codes(table + g * 32, j), sum, a2);
    }
    strata_store8(w, e, m, panel * STRATA_PANEL_ROWS + 8 * j, _mm256_loadu_ps(a1 + 8 * j), a2);
  }
}

void strata_block_wba8_x4x16__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                   const struct strata_epilogue *e, void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  int64_t groups = strata_group_count(w);
  for (int64_t first = 0; first < x->count;) {
    int64_t count = strata_even_part(x->count - first, BLOCK_ROWS);
    for (int64_t panel = 0; panel < strata_panels(w); panel++) {
      struct tile t = {.pitch = w->columns,
                       .group = w->group,
                       .groups = groups,
                       .centre = strata_centre(w),
                       .codes = memory.codes,
                       .table = strata_group(w, panel, 0)};
      memset(memory.a1, 0, (size_t)count * 16 * sizeof(float));
      for (t.from = 0; t.from < w->columns; t.from = t.to) {
        t.to = strata_block_end(w, t.from);
        unpack(w, panel, t.from, t.to, memory.codes);
        for (int64_t m = 0, rows; m < count; m += rows) {
          rows = strata_even_part(count - m, TILE_ROWS);
          t.q = x->codes + (first + m) * w->columns;
          t.sums = x->sums + (first + m) * groups;
          t.scales = x->scale + (first + m) * groups;
          t.a1 = memory.a1 + m * 16;
          t.partial = memory.partial + m * 16;
          run(&t, rows, w->bits == 8);
        }
      }
      for (int64_t m = 0; m < count; m++) {
        finish(w, x, e, first + m, panel, memory.a1 + m * 16);
      }
    }
    first += count;
  }
}
