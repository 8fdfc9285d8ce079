#include "bitserial/lookup_avx2.h"
#include "block/tiling.h"
#include "conv/conv.h"
#include "conv/planes.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "weights.h"

// What the pixels under a position's taps look up, and nothing beyond the last tap.
static void find_tables(const struct strata_weights *w, const struct strata_positions *x,
                        int64_t abits, int64_t m, uint16_t *tables) {
  int64_t words = x->channels / STRATA_BLOCK_COLUMNS;
  for (int64_t t = 0; t < abits; t += 2) {
    for (int64_t tap = 0; tap < x->tap_count; tap++, tables += words * LOOKUPS) {
      const int8_t *plane = x->taps[tap * x->count + m] + t * x->plane;
      const int8_t *next = t + 1 < abits ? plane + x->plane : NULL;
      strata_lookup_tables((const uint32_t *)plane, (const uint32_t *)next, words, tables);
    }
    int64_t rest = w->columns / 4 - x->tap_count * words * LOOKUPS;
    memset(tables, 0, (size_t)rest * sizeof *tables);
    tables += rest;
  }
}

static void run(const struct strata_weights *w, const struct strata_positions *x, int64_t abits,
                const struct strata_epilogue *e, void *scratch) {
  float *scales = scratch;
  uint16_t *tables = (uint16_t *)((uint8_t *)scratch + strata_conv_scale_bytes(w, x->count));
  int64_t pitch = strata_lookup_pairs(abits) * (w->columns / 4);
  void *rest = tables + LOOKUP_ROWS * pitch;
  strata_conv_scales(x, scales);
  for (int64_t first = 0; first < x->count;) {
    struct strata_rows part = {.sums = x->sums + first * x->groups,
                               .scale = scales + first * x->groups,
                               .count = strata_even_part(x->count - first, LOOKUP_ROWS)};
    for (int64_t m = 0; m < part.count; m++) {
      find_tables(w, x, abits, first + m, tables + m * pitch);
    }
    const struct strata_epilogue out = strata_epilogue_part(e, first, 0, 0);
    strata_lookup_product(w, &part, tables, abits, &out, rest);
    if (strata_is_clamp(e)) {
      strata_epilogue_activate(&out, 0, part.count, w->rows);
    }
    first += part.count;
  }
}

const struct strata_conv_planes_row strata_conv_wbab_x4x64__avx2 = {strata_plane_sums, run};
