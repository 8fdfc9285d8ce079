// A convolution's weights as codes.
#ifndef STRATA_CONV_PANELS_AVX512_H
#define STRATA_CONV_PANELS_AVX512_H

#include "unpack_avx512.h"
#include "weights.h"

STRATA_INLINE void strata_unpack_panels_bits(const struct strata_weights *w, int64_t panel,
                                             int panels, int bits, uint8_t *out) {
  for (int64_t block = 0; block < strata_blocks(w); block++) {
    for (int j = 0; j < panels; j++) {
      __m512i codes[8];
      strata_unpack(w->planes, strata_line(w, panel + j, block), bits, codes);
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
        _mm512_store_si512(out + (i * panels + j) * 64, codes[i]);
      }
    }
    out += 512 * panels;
  }
}

// The codes of `panels` panels as [columns/4][panels][64].
static inline void strata_unpack_panels(const struct strata_weights *w, int64_t panel, int panels,
                                        uint8_t *out) {
  switch (w->bits) {
    case 1: strata_unpack_panels_bits(w, panel, panels, 1, out); break;
    case 2: strata_unpack_panels_bits(w, panel, panels, 2, out); break;
    case 3: strata_unpack_panels_bits(w, panel, panels, 3, out); break;
    case 4: strata_unpack_panels_bits(w, panel, panels, 4, out); break;
    case 5: strata_unpack_panels_bits(w, panel, panels, 5, out); break;
    case 6: strata_unpack_panels_bits(w, panel, panels, 6, out); break;
    case 7: strata_unpack_panels_bits(w, panel, panels, 7, out); break;
    default: strata_unpack_panels_bits(w, panel, panels, 8, out); break;
  }
}

#endif
