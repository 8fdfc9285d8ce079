// Convolution as a matrix product: window positions are laid out as rows, some at a time, so that
// the rows stay in the level 2 cache while the blocked product reads them. All instruction sets
// share this loop; the product and the sums inside it have their own rows.
#ifndef STRATA_CONV_H
#define STRATA_CONV_H

#include "strata.h"

// Lays out window positions [first, first + count) as strata_im2col_s8 does.
void strata_conv_rows(const struct strata_window *s, const int8_t *x, int64_t first_channel,
                      int64_t channels, int64_t pad_code, int64_t columns, int64_t first,
                      int64_t count, int8_t *out);

#endif
