#include "bitserial/bitserial.h"
#include "bitserial/lookup_avx2.h"
#include "block/finish_avx2.h"
#include "block/tiling.h"
#include "epilogue/epilogue.h"
#include "weights.h"

// AVX2 has no instruction that counts ones, but vpshufb looks 32 bytes up in a table of 16. So the
// table is made of the activations: what each pattern of four weight bits adds up to with the
// activations under it, of two planes at once. Weight rows are the bytes of a register, so nothing
// is added across lanes (T-MAC, Wei et al. 2024, does the same for activations of 8 bits).
enum {
  TILE_ROWS = FINISH_ROWS,
  TILE_PITCH = 8,            // registers of sums of a row: of four panels
  SUM_BLOCKS = 2,            // whose sums fit into a byte: 16 lookups of at most 12,
  LONE_SUM_BLOCKS = 7,       // or with one plane of activations 56 of at most 4
  PATTERN_BYTES = 16 << 10,  // of an unpacked tile of four panels
};

#define ONES(x) (((x)&1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define SUM(n, i) (ONES((n) & (i)) + 2 * ONES((n) >> 4 & (i)))
#define SUMS4(n, i) SUM(n, i), SUM(n, i + 1), SUM(n, i + 2), SUM(n, i + 3)
#define SUMS(n) \
  { SUMS4(n, 0), SUMS4(n, 4), SUMS4(n, 8), SUMS4(n, 12) }
#define TABLES4(n) SUMS(n), SUMS(n + 1), SUMS(n + 2), SUMS(n + 3)
#define TABLES16(n) TABLES4(n), TABLES4(n + 4), TABLES4(n + 8), TABLES4(n + 12)
#define TABLES64(n) TABLES16(n), TABLES16(n + 16), TABLES16(n + 32), TABLES16(n + 48)

// [n][i]: ones of the pattern i & n, and twice those of i & (n >> 4).
static const uint8_t tables[256][16]
    __attribute__((aligned(64))) = {TABLES64(0), TABLES64(64), TABLES64(128), TABLES64(192)};

// The columns [from, to) of a tile: activation rows from m on x the panels of `vectors` registers.
struct tile {
  const struct strata_weights *w;
  const struct strata_epilogue *e;
  int64_t m, panel, panels;  // panels that exist
  int64_t from, to;
  int64_t pairs;            // of activation planes
  int64_t sum_columns;      // whose sums fit into a byte
  const uint8_t *patterns;  // [blocks][bits][LOOKUPS][vectors][32]: four bits of each weight row
  const uint16_t *tables;   // [rows][pairs][all blocks][LOOKUPS]: byte of `tables`
  const struct strata_group_rows *groups;
  __m256 *a1;        // [rows][panels of two pairs][2]
  __m256i *partial;  // the same: sums of a group
};

// Patterns of one block of one plane of two panels. Row 8h + 4l + i of panel p is byte 8p + 4h + i
// of half l of a register, so that widening bytes puts rows in their order.
static void lay_out_patterns(const uint8_t *plane, const int64_t lines[2], uint8_t *out,
                             int64_t pitch) {
  const __m256i by_byte = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  __m256i rows[4], twos[4], fours[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m256i *at = (const __m256i *)(plane + lines[i / 2]) + i % 2;
    rows[i] = _mm256_shuffle_epi8(_mm256_loadu_si256(at), by_byte);
  }
#pragma GCC unroll 2
  for (int p = 0; p < 2; p++) {
    twos[p] = _mm256_unpacklo_epi32(rows[2 * p], rows[2 * p + 1]);
    twos[p + 2] = _mm256_unpackhi_epi32(rows[2 * p], rows[2 * p + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    fours[2 * i] = _mm256_unpacklo_epi64(twos[2 * i], twos[2 * i + 1]);
    fours[2 * i + 1] = _mm256_unpackhi_epi64(twos[2 * i], twos[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++) {
    __m256i *low = (__m256i *)(out + t * pitch), *high = (__m256i *)(out + (t + 4) * pitch);
    _mm256_store_si256(low, _mm256_and_si256(fours[t], nibble));
    _mm256_store_si256(high, _mm256_and_si256(_mm256_srli_epi16(fours[t], 4), nibble));
  }
}

static void unpack(const struct tile *t, int vectors, uint8_t *out) {
  const struct strata_weights *w = t->w;
  int64_t last = strata_panels(w) - 1;
  int64_t pitch = vectors * 32;
  for (int64_t block = t->from / 32; block < t->to / 32; block++) {
    for (int64_t p = 0; p < w->bits; p++, out += LOOKUPS * pitch) {
      for (int64_t v = 0; v < vectors; v++) {
        int64_t lines[2];
        for (int64_t i = 0; i < 2; i++) {  // a panel that does not exist repeats the last, unstored
          int64_t panel = t->panel + 2 * v + i;
          lines[i] = strata_line(w, panel < last ? panel : last, block);
        }
        lay_out_patterns(w->planes[p], lines, out + 32 * v, pitch);
      }
    }
  }
}

// Adds bytes, each worth 2^shift, to the sums of two panels.
STRATA_INLINE void widen(__m256i bytes, int shift, __m256i *sums) {
  const __m256i zero = _mm256_setzero_si256();
  const __m128i by = _mm_cvtsi32_si128(shift);
  __m256i words[2] = {_mm256_unpacklo_epi8(bytes, zero), _mm256_unpackhi_epi8(bytes, zero)};
#pragma GCC unroll 2
  for (int p = 0; p < 2; p++) {
    __m256i first = _mm256_sll_epi32(_mm256_unpacklo_epi16(words[p], zero), by);
    __m256i second = _mm256_sll_epi32(_mm256_unpackhi_epi16(words[p], zero), by);
    sums[2 * p] = _mm256_add_epi32(sums[2 * p], first);
    sums[2 * p + 1] = _mm256_add_epi32(sums[2 * p + 1], second);
  }
}

// The compiler would look up everything first and find no registers for it.
STRATA_INLINE void add_found(__m256i *sum, __m256i table, __m256i pattern) {
  __m256i found;
  __asm__("vpshufb %3, %2, %1\n\tvpaddb %1, %0, %0"
          : "+x"(*sum), "=&x"(found)
          : "x"(table), "x"(pattern));
}

STRATA_INLINE void clear(__m256i *registers, int rows, int vectors) {
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
    for (int i = 0; i < 4 * vectors; i++) {
      registers[r * TILE_PITCH + i] = _mm256_setzero_si256();
    }
  }
}

// Sums of `blocks` blocks of one plane of weights and two of activations. `rows` and `vectors` are
// constants.
STRATA_INLINE void look_up(const uint8_t *patterns, int64_t next_block, const uint16_t *of_row,
                           int64_t next_row, int rows, int vectors, int64_t blocks, int shift,
                           __m256i *sums) {
  const uint16_t *of[TILE_ROWS];
  __m256i bytes[TILE_ROWS * 2];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    of[r] = of_row + r * next_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows * vectors; i++) {
    bytes[i] = _mm256_setzero_si256();
  }
#pragma GCC unroll 1
  for (int64_t k = 0; k < blocks; k++, patterns += next_block) {
#pragma GCC unroll 8
    for (int i = 0; i < LOOKUPS; i++) {
      __m256i pattern[2];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) {
        pattern[v] = _mm256_load_si256((const __m256i *)patterns + i * vectors + v);
      }
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        const uint8_t *at = (const uint8_t *)tables + of[r][i];
        __m256i table = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)at));
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
          add_found(&bytes[r * vectors + v], table, pattern[v]);
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      of[r] += LOOKUPS;
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      widen(bytes[r * vectors + v], shift, sums + r * TILE_PITCH + 4 * v);
    }
  }
}

// `rows` and `vectors` are constants.
STRATA_INLINE void run_tile(const struct tile *t, int rows, int vectors) {
  const struct strata_weights *w = t->w;
  const int64_t bits = w->bits, blocks = strata_blocks(w), next_row = t->pairs * blocks * LOOKUPS;
  const int64_t plane = LOOKUPS * vectors * 32;
  if (t->from == 0) {
    clear((__m256i *)t->a1, rows, vectors);
  }
  for (int64_t k = t->from; k < t->to;) {
    int64_t g = k / w->group;
    int64_t end = (g + 1) * w->group < t->to ? (g + 1) * w->group : t->to;
    if (k == g * w->group) {
      clear(t->partial, rows, vectors);
    }
    while (k < end) {
      int64_t block = k / STRATA_BLOCK_COLUMNS;
      const uint8_t *patterns =
          t->patterns + (block - t->from / STRATA_BLOCK_COLUMNS) * bits * plane;
      int64_t next = k + t->sum_columns;
      next = next < end ? next : end;
      for (int64_t p = 0; p < bits; p++) {
        for (int64_t q = 0; q < t->pairs; q++) {
          look_up(patterns + p * plane, bits * plane, t->tables + (q * blocks + block) * LOOKUPS,
                  next_row, rows, vectors, (next - k) / STRATA_BLOCK_COLUMNS,
                  (int)(8 - p + 2 * q),  // twice the code
                  t->partial);
        }
      }
      k = next;
    }
    for (int64_t i = 0; k == (g + 1) * w->group && i < t->panels; i++) {
      strata_add_group(strata_group(w, t->panel + i, g), t->groups + g, rows, t->partial + 2 * i,
                       t->a1 + 2 * i, TILE_PITCH);
    }
  }
  for (int64_t i = 0; t->to == w->columns && i < t->panels; i++) {
    strata_finish_panel(w, t->e, t->m, t->panel + i, t->groups, rows, t->a1 + 2 * i, TILE_PITCH);
  }
}

static void run(const struct tile *t, int64_t rows, int vectors) {
  switch (rows + TILE_ROWS * (vectors - 1)) {
    case 1: run_tile(t, 1, 1); break;
    case 2: run_tile(t, 2, 1); break;
    case 3: run_tile(t, 3, 1); break;
    case 4: run_tile(t, 4, 1); break;
    case 5: run_tile(t, 1, 2); break;
    case 6: run_tile(t, 2, 2); break;
    case 7: run_tile(t, 3, 2); break;
    default: run_tile(t, 4, 2); break;
  }
}

void strata_lookup_product(const struct strata_weights *w, const struct strata_rows *x,
                           const uint16_t *tables, int64_t abits, const struct strata_epilogue *e,
                           void *scratch) {
  struct strata_block_memory memory = strata_block_memory(scratch);
  struct strata_group_rows *groups = strata_wide_memory(w, scratch).groups;
  int64_t group_count = strata_group_count(w);
  int64_t most = PATTERN_BYTES / (16 * w->bits) / STRATA_BLOCK_COLUMNS * STRATA_BLOCK_COLUMNS;
  struct tile t = {.w = w, .e = e, .pairs = strata_lookup_pairs(abits), .patterns = memory.codes};
  t.sum_columns = (abits == 1 ? LONE_SUM_BLOCKS : SUM_BLOCKS) * STRATA_BLOCK_COLUMNS;
  struct strata_group_rows *corrections = groups;
  for (int64_t m = 0, rows; m < x->count; m += rows, corrections += group_count) {
    rows = strata_even_part(x->count - m, TILE_ROWS);
    strata_group_rows(w, x, m, rows, corrections);
  }
  for (; t.panel < strata_panels(w); t.panel += t.panels) {
    t.panels = strata_panels(w) - t.panel < 4 ? strata_panels(w) - t.panel : 4;
    int vectors = t.panels > 2 ? 2 : 1;
    for (t.from = 0; t.from < w->columns; t.from = t.to) {
      t.to = strata_part_end(w, t.from, most);
      unpack(&t, vectors, memory.codes);
      t.groups = groups;
      t.m = 0;
      for (int64_t rows; t.m < x->count; t.m += rows, t.groups += group_count) {
        rows = strata_even_part(x->count - t.m, TILE_ROWS);
        t.tables = tables + t.m * t.pairs * (w->columns / 4);
        t.a1 = (__m256 *)memory.a1 + t.m * TILE_PITCH;
        t.partial = (__m256i *)memory.partial + t.m * TILE_PITCH;
        run(&t, rows, vectors);
      }
    }
  }
}

void strata_bitserial_wbab_x4x64__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                       int64_t abits, const struct strata_epilogue *e,
                                       void *scratch) {
  uint16_t *tables = scratch;
  void *rest = (uint8_t *)scratch + strata_bitserial_codes(w);
  int64_t groups = strata_group_count(w), blocks = strata_blocks(w);
  for (int64_t first = 0; first < x->count;) {
    struct strata_rows part = {.sums = x->sums + first * groups,
                               .scale = x->scale + first * groups,
                               .count = strata_even_part(x->count - first, LOOKUP_ROWS)};
    const uint32_t *planes = (const uint32_t *)x->codes + first * abits * blocks;
    uint16_t *at = tables;
    for (int64_t m = 0; m < part.count; m++) {
      for (int64_t t = 0; t < abits; t += 2, at += blocks * LOOKUPS) {
        strata_lookup_tables(planes, t + 1 < abits ? planes + blocks : NULL, blocks, at);
        planes += (t + 1 < abits ? 2 : 1) * blocks;
      }
    }
    const struct strata_epilogue out = strata_epilogue_part(e, first, 0, 0);
    strata_lookup_product(w, &part, tables, abits, &out, rest);
    first += part.count;
  }
}
