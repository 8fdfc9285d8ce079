#include "bitserial/bitserial.h"
#include "block/block.h"
#include "epilogue/epilogue.h"
#include "unpack_avx512.h"
#include "weights.h"

// Tiles take a byte for each activation as fast as a bit, so only a single pair of planes is left
// to the population count.
enum { FEWEST_ROWS = 12, BLOCK = STRATA_BLOCK_COLUMNS };

// A row's planes, `blocks` words each, as codes. Bit 8c + i of a word is column 4i + c.
static void to_codes(const uint32_t *planes, int64_t blocks, int64_t abits, int8_t *codes) {
  const __m256i order =
      _mm256_setr_epi8(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27, 4, 12, 20, 28, 5,
                       13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
  for (int64_t k = 0; k < blocks; k++) {
    __m256i block = _mm256_setzero_si256();
    for (int64_t t = 0; t < abits; t++) {
      __m256i worth = _mm256_set1_epi8((char)(1 << t));
      block = _mm256_or_si256(block, _mm256_maskz_mov_epi8(planes[t * blocks + k], worth));
    }
    block = _mm256_permutexvar_epi8(order, block);
    _mm256_storeu_si256((__m256i *)(codes + k * BLOCK), block);
  }
}

void strata_bitserial_wbab_x32x32__amx(const struct strata_weights *w, const struct strata_rows *x,
                                       int64_t abits, const struct strata_epilogue *e,
                                       void *scratch) {
  if (x->count < FEWEST_ROWS || abits * w->bits == 1 || abits > 7) {
    strata_bitserial_wbab_x512__avx512(w, x, abits, e, scratch);
    return;
  }
  int8_t *codes = scratch;
  void *room = codes + strata_bitserial_codes(w);
  int64_t groups = strata_group_count(w), blocks = strata_blocks(w);
  for (int64_t first = 0; first < x->count; first += BITSERIAL_CODED_ROWS) {
    struct strata_rows part = {.codes = codes,
                               .sums = x->sums + first * groups,
                               .scale = x->scale + first * groups,
                               .count = x->count - first};
    part.count = part.count < BITSERIAL_CODED_ROWS ? part.count : BITSERIAL_CODED_ROWS;
    for (int64_t m = 0; m < part.count; m++) {
      const uint32_t *planes = (const uint32_t *)x->codes + (first + m) * abits * blocks;
      to_codes(planes, blocks, abits, codes + m * w->columns);
    }
    const struct strata_epilogue out = strata_epilogue_part(e, first, 0, 0);
    strata_block_wba8_x32x32__amx(w, &part, &out, room);
  }
}
