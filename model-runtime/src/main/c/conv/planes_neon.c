#define CONV_PRODUCT strata_bitserial_wbab_x128__neon
#include "conv/planes_rows.inc"

const struct strata_conv_planes_row strata_conv_wbab_x128__neon = {strata_plane_sums, run};
