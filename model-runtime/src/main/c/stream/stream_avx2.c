#include "block/block.h"
#include "block/tiling.h"
#include "stream/stream.h"

// Without a byte dot product there is nothing to win by keeping codes in registers: the blocked
// product runs with its tile on the stack.
void strata_stream_wba8_x16__avx2(const struct strata_weights *w, const struct strata_rows *x,
                                  const struct strata_epilogue *e) {
  _Alignas(64) uint8_t scratch[BLOCK_TILE_BYTES];
  strata_block_wba8_x4x16__avx2(w, x, e, scratch);
}
