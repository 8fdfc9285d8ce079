#include <string.h>

#include "block/tiling.h"
#include "conv/conv.h"
#include "conv/finish_avx2.h"
#include "unpack_avx2.h"
#include "weights.h"

// Steps of four columns whose sums fit into 16 bits: a step adds two products of at most 15 * 128.
enum { TILE_ROWS = 4, SHORT_STEPS = 8 };

// The codes of a panel as nibbles, [columns/4][nibbles][64]: upper ones, then where a code has more
// than four bits the lower ones.
static void unpack(const struct strata_weights *w, int64_t panel, int nibbles, uint8_t *out) {
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  for (int64_t block = 0; block < strata_blocks(w); block++, out += 512 * nibbles) {
    for (int half = 0; half < 2; half++) {
      __m256i codes[8];
      strata_unpack(w->planes, strata_line(w, panel, block) + 32 * half, w->bits, codes);
      for (int i = 0; i < 8; i++) {
        __m256i *at = (__m256i *)(out + i * 64 * nibbles + half * 32);
        _mm256_store_si256(at, _mm256_and_si256(_mm256_srli_epi16(codes[i], 4), nibble));
        if (nibbles > 1) {
          _mm256_store_si256(at + 2, _mm256_and_si256(codes[i], nibble));
        }
      }
    }
  }
}

// Sums of 16 bits go into those of 32, the upper nibbles with their worth.
STRATA_INLINE void widen(__m256i brief[TILE_ROWS][2][2], __m256i acc[TILE_ROWS][2], int rows,
                         int nibbles) {
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      __m256i sum = _mm256_madd_epi16(brief[r][j][0], _mm256_set1_epi16(16));
      if (nibbles > 1) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(brief[r][j][1], _mm256_set1_epi16(1)));
      }
      acc[r][j] = _mm256_add_epi32(acc[r][j], sum);
      brief[r][j][0] = brief[r][j][1] = _mm256_setzero_si256();
    }
  }
}

// `rows` positions from m on x one panel.
STRATA_INLINE void run_tile(const struct strata_positions *x, const struct strata_finish *finish,
                            const uint8_t *codes, int64_t group, int64_t m, int rows, int nibbles) {
  struct strata_finish_tile sofar;
  __m256i brief[TILE_ROWS][2][2], acc[TILE_ROWS][2];
  memset(brief, 0, sizeof brief);
  int64_t tap = 0, c = 0;
  for (int64_t g = 0; g < finish->groups; g++) {
    memset(acc, 0, sizeof acc);
    int64_t room = 4 * SHORT_STEPS;
    for (int64_t left = group; left > 0 && tap < x->tap_count;) {
      const int8_t *q[TILE_ROWS];
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        q[r] = x->taps[tap * x->count + m + r];
      }
      int64_t part = x->channels - c < left ? x->channels - c : left;
      part = part < room ? part : room;
      left -= part;
      room -= part;
      for (int64_t end = c + part; c < end; c += 4, codes += 64 * nibbles) {
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
          __m256i four = strata_broadcast4(q[r] + c);
#pragma GCC unroll 4
          for (int i = 0; i < 2 * nibbles; i++) {
            __m256i code = _mm256_load_si256((const __m256i *)codes + i);
            brief[r][i % 2][i / 2] =
                _mm256_add_epi16(brief[r][i % 2][i / 2], _mm256_maddubs_epi16(code, four));
          }
        }
      }
      if (c == x->channels) {
        c = 0;
        tap++;
      }
      if (room == 0) {
        widen(brief, acc, rows, nibbles);
        room = 4 * SHORT_STEPS;
      }
    }
    widen(brief, acc, rows, nibbles);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      int32_t sum = x->sums[(m + r) * finish->groups + g];
#pragma GCC unroll 2
      for (int j = 0; j < 2; j++) {
        strata_finish_add(finish, &sofar, g, m, r, j, x->scale[m + r], sum, acc[r][j]);
      }
    }
  }
}

// Codes of up to four bits; four positions have their 16-bit sums in registers.
static void run_narrow(const struct strata_weights *w, const struct strata_positions *x,
                       const struct strata_finish *finish, const uint8_t *codes) {
  for (int64_t m = 0, rows; m < x->count; m += rows) {
    rows = strata_even_part(x->count - m, 4);
    switch (rows) {
      case 1: run_tile(x, finish, codes, w->group, m, 1, 1); break;
      case 2: run_tile(x, finish, codes, w->group, m, 2, 1); break;
      case 3: run_tile(x, finish, codes, w->group, m, 3, 1); break;
      default: run_tile(x, finish, codes, w->group, m, 4, 1); break;
    }
  }
}

// Wider codes; two positions do.
static void run_wide(const struct strata_weights *w, const struct strata_positions *x,
                     const struct strata_finish *finish, const uint8_t *codes) {
  int64_t m = 0;
  for (; m + 2 <= x->count; m += 2) {
    run_tile(x, finish, codes, w->group, m, 2, 2);
  }
  if (m < x->count) {
    run_tile(x, finish, codes, w->group, m, 1, 2);
  }
}

static void run(const struct strata_weights *w, const struct strata_positions *x,
                const struct strata_epilogue *e, void *scratch) {
  for (int64_t panel = 0; panel < strata_panels(w); panel++) {
    struct strata_finish finish = strata_finish_of(w, e, panel);
    unpack(w, panel, w->bits > 4 ? 2 : 1, scratch);
    if (w->bits > 4) {
      run_wide(w, x, &finish, scratch);
    } else {
      run_narrow(w, x, &finish, scratch);
    }
  }
}

const struct strata_conv_row strata_conv_wba8_x4x16__avx2 = {strata_positions_find, run};
