#include "adder/adder.h"
#include "adder/adder_lanes.inc"

void strata_adder_wba8_x2x16__avx2(const struct strata_weights *w, int64_t width,
                                   const struct strata_rows *x, const struct strata_epilogue *e,
                                   void *scratch) {
  adder_lanes(w, width, x, e, scratch);
}
