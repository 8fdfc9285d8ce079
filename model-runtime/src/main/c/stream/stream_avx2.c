#include "brief_avx2.h"
#include "stream/stream.h"
#include "weights.h"

enum { STREAM_ROWS = 4 };  // more would not leave their sums in registers

// A group's sums of twice the code times the activation, for 8 weight rows.
STRATA_INLINE void sum_group(const struct strata_weights *w, int64_t line,
                             const int8_t *const q[STREAM_ROWS], int64_t column, int bits, int rows,
                             __m256i dot[STREAM_ROWS]) {
  const int steps = strata_brief_steps(bits);
  const int64_t brief_blocks = steps > STRATA_BLOCK_STEPS ? steps / STRATA_BLOCK_STEPS : 1;
  const int64_t blocks = w->group / STRATA_BLOCK_COLUMNS;
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    dot[r] = _mm256_setzero_si256();
  }
#pragma GCC unroll 2
  for (int operand = 0; operand < strata_operands(bits); operand++) {
    const __m256i worth = _mm256_set1_epi16(strata_operand_worth(bits, operand));
    for (int64_t k = 0, stop; k < blocks; k = stop) {
      stop = brief_blocks == 1 || k + brief_blocks < blocks ? k + brief_blocks : blocks;
      __m256i brief[STREAM_ROWS];
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        brief[r] = _mm256_setzero_si256();
      }
      for (int64_t block = k; block < stop; block++) {
        int64_t at = column + STRATA_BLOCK_COLUMNS * block;
        __m256i codes[8];
        strata_unpack_operand(w->planes, line + 64 * block, bits, operand, codes);
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
#pragma GCC unroll 4
          for (int r = 0; r < rows; r++) {
            brief[r] =
                strata_add_products(brief[r], codes[i], strata_broadcast4(q[r] + at + 4 * i));
            if ((i + 1) % steps == 0 && i < 7) {
              dot[r] = _mm256_add_epi32(dot[r], _mm256_madd_epi16(brief[r], worth));
              brief[r] = _mm256_setzero_si256();
            }
          }
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        dot[r] = _mm256_add_epi32(dot[r], _mm256_madd_epi16(brief[r], worth));
      }
    }
  }
}

// One panel for the activation rows from m on, `rows` of them at most; those beyond the last
// compute what the last does and are not stored. `bits` and `rows` are constants.
STRATA_INLINE void stream_panel(const struct strata_weights *w, const struct strata_rows *x,
                                const struct strata_epilogue *e, int64_t panel, int64_t m, int bits,
                                int rows) {
  int64_t groups = strata_group_count(w);
  int32_t centre = strata_centre(w);
  const int8_t *q[STREAM_ROWS];
  const int32_t *sums[STREAM_ROWS];
  const float *scales[STREAM_ROWS];
  __m256 a1[STREAM_ROWS][2], a2[STREAM_ROWS][2];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    int64_t row = m + r < x->count ? m + r : x->count - 1;
    q[r] = x->codes + row * w->columns;
    sums[r] = x->sums + row * groups;
    scales[r] = x->scale + row * groups;
    a1[r][0] = a1[r][1] = a2[r][0] = a2[r][1] = _mm256_setzero_ps();
  }
  const uint8_t *table = strata_group(w, panel, 0);
  int64_t line = strata_line(w, panel, 0);
  for (int64_t g = 0; g < groups; g++, table += 2 * STRATA_PANEL_ROWS, line += 2 * w->group) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
      __m256i dot[STREAM_ROWS];
      sum_group(w, line + 32 * half, q, g * w->group, bits, rows, dot);
      __m256 scale = strata_scale_codes(table, half);
      __m256 offset = strata_offset_codes(table, half);
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        int32_t sum = sums[r][g];
        float by = scales[r][g];
        __m256i whole = _mm256_sub_epi32(dot[r], _mm256_set1_epi32(centre * sum));
        __m256 scaled = _mm256_mul_ps(_mm256_set1_ps(by), _mm256_cvtepi32_ps(whole));
        a1[r][half] = _mm256_fmadd_ps(scale, scaled, a1[r][half]);
        a2[r][half] = _mm256_fmadd_ps(offset, _mm256_set1_ps(by * (float)sum), a2[r][half]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    if (m + r < x->count) {
      int64_t c = panel * STRATA_PANEL_ROWS;
      strata_finish8(w, e, m + r, c, a1[r][0], a2[r][0]);
      strata_finish8(w, e, m + r, c + 8, a1[r][1], a2[r][1]);
    }
  }
}

STRATA_INLINE void stream_bits(const struct strata_weights *w, const struct strata_rows *x,
                               const struct strata_epilogue *e, int bits) {
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    for (int64_t m = 0; m < x->count; m += STREAM_ROWS) {
      int64_t left = x->count - m;
      if (left == 1) {
        stream_panel(w, x, e, panel, m, bits, 1);
      } else if (left == 2) {
        stream_panel(w, x, e, panel, m, bits, 2);
      } else {
        stream_panel(w, x, e, panel, m, bits, STREAM_ROWS);
      }
    }
  }
}

void strata_stream_wba8_x16__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                  const struct strata_epilogue *e) {
#define STREAM(bits) stream_bits(w, x, e, bits)
  STRATA_FOR_BITS(w->bits, STREAM);
#undef STREAM
}
