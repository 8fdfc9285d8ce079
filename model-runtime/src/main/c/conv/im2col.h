// Windows laid out as rows of a matrix: columns are (kh, kw, channel).
#ifndef STRATA_CONV_IM2COL_H
#define STRATA_CONV_IM2COL_H

#include "strata.h"

// Codes under the window positions [first, first + count): out [count][columns], columns >=
// kh*kw*channels (zero beyond). first_channel/channels select one group.
void strata_im2col_rows(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                        int64_t channels, int64_t pad_code, int64_t columns, int64_t first,
                        int64_t count, int8_t *out);

#endif
