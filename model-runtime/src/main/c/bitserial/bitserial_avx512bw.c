#include "bitserial/bitserial.h"
#include "bitserial/bitserial_lanes.inc"

void strata_bitserial_wbab_x512__avx512bw(const struct strata_weights *w,
                                          const struct strata_rows *x, int64_t abits,
                                          const struct strata_epilogue *e, void *scratch) {
  (void)scratch;
  bitserial_lanes(w, x, abits, e);
}
