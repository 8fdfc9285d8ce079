#define CONV_PRODUCT strata_block_wba8_x12x32__avx512bw
#include "conv/rows.inc"

const struct strata_conv_row strata_conv_wba8_x12x32__avx512bw = {NULL, run, 0};
