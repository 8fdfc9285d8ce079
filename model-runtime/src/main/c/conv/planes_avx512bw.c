#define CONV_PRODUCT strata_bitserial_wbab_x512__avx512bw
#include "conv/planes_rows.inc"

const struct strata_conv_planes_row strata_conv_wbab_x512__avx512bw = {strata_plane_sums, run};
