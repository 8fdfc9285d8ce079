#include "stream/stream.h"
#include "unpack_avx512.h"
#include "weights.h"

enum {
  MOST_ROWS = 8,
  MOST_PANELS = 2,
  MOST_SUMS = 8,  // accumulators of one row and panel
  // Planes that do not fit the level 2 cache are asked for `AHEAD` bytes early; more than four of
  // them are streams enough for the processor's own prefetcher, which two panels would confuse.
  LEVEL_2_BYTES = 1 << 20,
  AHEAD = 1024,
  MOST_AHEAD = 4,
};

// How many accumulators serve one row of one panel: `classes` of codes that stay at different
// places of a byte, each with enough chains that a dot need not wait for the last one.
struct sums {
  int classes, chains;
};

STRATA_INLINE struct sums sums_of(int bits, int rows, int panels) {
  int classes = rows * panels > 2 ? 1 : bits == 1 ? 4 : bits <= 4 ? 2 : 1;
  int wanted = 4 / (rows * panels * classes);
  return (struct sums){classes, wanted > 1 ? wanted : 1};
}

// The sum of a group from its accumulators; class k is worth 2^(shift of a class) more each.
STRATA_INLINE __m512i total(const __m512i *acc, struct sums sums, int bits) {
  __m512i all = _mm512_setzero_si512();
#pragma GCC unroll 4
  for (int k = sums.classes - 1; k >= 0; k--) {
    __m512i one = acc[k * sums.chains];
#pragma GCC unroll 4
    for (int i = 1; i < sums.chains; i++) {
      one = _mm512_add_epi32(one, acc[k * sums.chains + i]);
    }
    int step = bits == 1 ? 1 : bits == 2 ? 2 : 4;
    all = k == sums.classes - 1 ? one : _mm512_add_epi32(_mm512_slli_epi32(all, step), one);
  }
  return all;
}

// `panels` x 16 weight rows for the activation rows from m on, `rows` of them at most; those beyond
// the last compute what the last does and are not stored. `ahead` asks for planes early. All ints
// are constants.
STRATA_INLINE void run_panels(const struct strata_weights *w, const struct strata_rows *x,
                              const struct strata_epilogue *e, int64_t panel, int64_t m, int bits,
                              int rows, int panels, int ahead) {
  const struct sums sums = sums_of(bits, rows, panels);
  int64_t groups = strata_group_count(w);
  int64_t blocks = strata_blocks(w);
  int64_t group_blocks = w->group / STRATA_BLOCK_COLUMNS;
  const uint8_t *table = strata_group(w, panel, 0);
  int64_t line = strata_line(w, panel, 0);
  const int8_t *q[MOST_ROWS];
  const int32_t *group_sums[MOST_ROWS];
  const float *scales[MOST_ROWS];
  __m512 a1[MOST_PANELS][MOST_ROWS], a2[MOST_PANELS][MOST_ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    int64_t row = m + r < x->count ? m + r : x->count - 1;
    q[r] = x->codes + row * w->columns;
    group_sums[r] = x->sums + row * groups;
    scales[r] = x->scale + row * groups;
#pragma GCC unroll 2
    for (int j = 0; j < panels; j++) {
      a1[j][r] = a2[j][r] = _mm512_setzero_ps();
    }
  }
  int64_t column = 0;
  for (int64_t g = 0; g < groups; g++) {
    __m512i acc[MOST_PANELS][MOST_ROWS][MOST_SUMS];
#pragma GCC unroll 2
    for (int j = 0; j < panels; j++) {
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < sums.classes * sums.chains; i++) {
          acc[j][r][i] = _mm512_setzero_si512();
        }
      }
    }
    for (int64_t block = 0; block < group_blocks; block++) {
      __m512i codes[MOST_PANELS][8];
#pragma GCC unroll 2
      for (int j = 0; j < panels; j++) {
        int64_t at = line + j * blocks * 64;
        if (sums.classes > 1) {
          strata_unpack_in_place(w->planes, at, bits, codes[j]);
        } else {
          strata_unpack(w->planes, at, bits, codes[j]);
        }
#pragma GCC unroll 4
        for (int p = 0; ahead && p < bits; p++) {
          _mm_prefetch((const char *)w->planes[p] + at + AHEAD, _MM_HINT_T0);
        }
      }
      line += 64;
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
        int class = sums.classes == 4   ? 3 - i % 4
                    : sums.classes == 2 ? strata_code_shift(bits, i) != 0
                                        : 0;
        int chain = class * sums.chains + (bits == 2 ? i / 2 % 2 * 2 + i % 2 : i) % sums.chains;
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
          __m512i four = strata_broadcast4(q[r] + column + 4 * i);
#pragma GCC unroll 2
          for (int j = 0; j < panels; j++) {
            acc[j][r][chain] = strata_dot(acc[j][r][chain], codes[j][i], four);
          }
        }
      }
      column += STRATA_BLOCK_COLUMNS;
    }
    __m512 scale[MOST_PANELS], offset[MOST_PANELS];
#pragma GCC unroll 2
    for (int j = 0; j < panels; j++) {
      scale[j] = strata_scale_codes(table + j * groups * 32);
      offset[j] = strata_offset_codes(table + j * groups * 32);
    }
    table += 2 * STRATA_PANEL_ROWS;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      __m512i sum = _mm512_set1_epi32(group_sums[r][g]);
      __m512i middle =  // centre * sum
          _mm512_sub_epi32(_mm512_slli_epi32(sum, 8), _mm512_slli_epi32(sum, 8 - bits));
      __m512 by = _mm512_set1_ps(scales[r][g]);
      __m512 mean = _mm512_mul_ps(by, _mm512_cvtepi32_ps(sum));
#pragma GCC unroll 2
      for (int j = 0; j < panels; j++) {
        __m512i dot = total(acc[j][r], sums, bits);
        __m512i whole = _mm512_sub_epi32(_mm512_add_epi32(dot, dot), middle);
        __m512 value = _mm512_mul_ps(by, _mm512_cvtepi32_ps(whole));
        a1[j][r] = _mm512_fmadd_ps(scale[j], value, a1[j][r]);
        a2[j][r] = _mm512_fmadd_ps(offset[j], mean, a2[j][r]);
      }
    }
  }
#pragma GCC unroll 2
  for (int j = 0; j < panels; j++) {
    __mmask16 mask = strata_panel_mask(w, panel + j);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      if (m + r < x->count) {
        strata_store16(w, e, m + r, panel + j, mask, a1[j][r], a2[j][r]);
      }
    }
  }
}

// A single activation row leaves registers for two panels, which share it.
STRATA_INLINE void run_bits(const struct strata_weights *w, const struct strata_rows *x,
                            const struct strata_epilogue *e, int bits) {
  int64_t panels = strata_panels(w);
  int cached = strata_line(w, panels, 0) * bits <= LEVEL_2_BYTES;
  int ahead = !cached && bits <= MOST_AHEAD;
#define RUN(rows, panels)                                                             \
  (bits <= MOST_AHEAD && ahead ? run_panels(w, x, e, panel, m, bits, rows, panels, 1) \
                               : run_panels(w, x, e, panel, m, bits, rows, panels, 0))
  for (int64_t panel = 0; panel < panels;) {
    int pair = x->count == 1 && cached && panel + 1 < panels;
    for (int64_t m = 0; m < x->count; m += MOST_ROWS) {
      int64_t left = x->count - m;
      if (pair) {
        run_panels(w, x, e, panel, m, bits, 1, 2, 0);
      } else if (left == 1) {
        RUN(1, 1);
      } else if (left == 2) {
        RUN(2, 1);
      } else if (left <= 4) {
        RUN(4, 1);
      } else {
        RUN(8, 1);
      }
    }
    panel += pair ? 2 : 1;
  }
#undef RUN
}

void strata_stream_wba8_x16__avx512(const struct strata_weights *w, const struct strata_rows *x,
                                    const struct strata_epilogue *e) {
  switch (w->bits) {
    case 1: run_bits(w, x, e, 1); break;
    case 2: run_bits(w, x, e, 2); break;
    case 3: run_bits(w, x, e, 3); break;
    case 4: run_bits(w, x, e, 4); break;
    case 5: run_bits(w, x, e, 5); break;
    case 6: run_bits(w, x, e, 6); break;
    case 7: run_bits(w, x, e, 7); break;
    default: run_bits(w, x, e, 8); break;
  }
}
