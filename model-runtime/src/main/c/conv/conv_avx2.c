#define CONV_PRODUCT strata_block_wba8_x4x16__avx2
#include "conv/rows.inc"

const struct strata_conv_row strata_conv_wba8_x4x16__avx2 = {NULL, run, 0};
