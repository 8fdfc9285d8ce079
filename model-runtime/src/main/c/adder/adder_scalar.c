#include <stdlib.h>

#include "adder/adder.h"
#include "epilogue/epilogue.h"
#include "weights.h"

// The definition in strata.h; each row of weights is unpacked once for all activation rows.
void strata_adder_wba8_x1__scalar(const struct strata_weights *w, int64_t width,
                                  const struct strata_rows *x, const struct strata_epilogue *e,
                                  void *scratch) {
  int8_t *weights = scratch;
  int32_t middle = strata_bin_middle(w);
  for (int64_t c = 0; c < w->rows; c++) {
    for (int64_t j = 0; j < width; j++) {
      weights[j] = (int8_t)(strata_code(w, c, j) + middle - 128);
    }
    for (int64_t m = 0; m < x->count; m++) {
      const int8_t *q = x->codes + m * w->columns;
      int32_t distance = 0;
      for (int64_t j = 0; j < width; j++) {
        distance += abs(weights[j] - q[j]);
      }
      strata_store(e, m, c, w->scale[c] * (float)-distance);
    }
  }
}
