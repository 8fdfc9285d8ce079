#include <math.h>

#include "gather/gather.h"
#include "weights.h"

void strata_gather_wb_x1__scalar(const struct strata_weights *w, const int64_t *ids, int64_t count,
                                 int64_t width, float *out, int64_t out_stride) {
  int32_t centre = strata_centre(w);
  for (int64_t i = 0; i < count; i++) {
    int64_t row = ids[i];
    for (int64_t j = 0; j < width; j++) {
      int64_t group = j / w->group;
      float scale = w->scale[row] * strata_group_scale(w, row, group);
      float offset = w->offset[row] * strata_group_offset(w, row, group);
      out[i * out_stride + j] = fmaf(scale, (float)(2 * strata_code(w, row, j) - centre), offset);
    }
  }
}
