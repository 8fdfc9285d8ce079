#include "codebook/codebook.h"
#include "codebook/codebook_lanes.inc"

void strata_codebook_wba8_x8__avx2(const struct strata_weights *w, const int8_t *codebook,
                                   const struct strata_rows *x, const struct strata_epilogue *e,
                                   void *scratch) {
  codebook_lanes(w, codebook, x, e, scratch);
}
