#define CONV_PRODUCT strata_block_wba8_x6x16__neon
#include "conv/rows.inc"

const struct strata_conv_row strata_conv_wba8_x6x16__neon = {NULL, run, 0};
