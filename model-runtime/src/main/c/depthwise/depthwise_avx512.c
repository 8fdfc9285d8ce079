#include <string.h>

#include "depthwise/depthwise.h"
#include "unpack_avx512.h"
#include "weights.h"
#include "window.h"

enum {
  GROUP = 4,
  CHANNELS = GROUP * STRATA_PANEL_ROWS,
  MOST_TAPS = 128,
  MOST_QUADS = MOST_TAPS / 4
};

static void unpack(const struct strata_weights *w, int64_t line, __m512i codes[8]) {
  switch (w->bits) {
    case 1: strata_unpack(w->planes, line, 1, codes); break;
    case 2: strata_unpack(w->planes, line, 2, codes); break;
    case 3: strata_unpack(w->planes, line, 3, codes); break;
    case 4: strata_unpack(w->planes, line, 4, codes); break;
    case 5: strata_unpack(w->planes, line, 5, codes); break;
    case 6: strata_unpack(w->planes, line, 6, codes); break;
    case 7: strata_unpack(w->planes, line, 7, codes); break;
    default: strata_unpack(w->planes, line, 8, codes); break;
  }
}

// Four taps of 16 channels: byte 4c + t is channel c under tap t, as in unpacked codes.
STRATA_INLINE __m512i interleave(const int8_t *const *taps, int64_t offset, __mmask16 channels) {
  const __m512i order =
      _mm512_set_epi32(0x3f2f1f0f, 0x3e2e1e0e, 0x3d2d1d0d, 0x3c2c1c0c, 0x3b2b1b0b, 0x3a2a1a0a,
                       0x39291909, 0x38281808, 0x37271707, 0x36261606, 0x35251505, 0x34241404,
                       0x33231303, 0x32221202, 0x31211101, 0x30201000);
  __m512i all = _mm512_castsi128_si512(_mm_maskz_loadu_epi8(channels, taps[0] + offset));
  all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(channels, taps[1] + offset), 1);
  all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(channels, taps[2] + offset), 2);
  all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(channels, taps[3] + offset), 3);
  return _mm512_permutexvar_epi8(order, all);
}

// All pixels of the panels [panel, panel + GROUP): 64 channels are one cache line of the image.
static void run_panels(const struct strata_weights *w, const struct strata_window *s,
                       const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                       const struct strata_epilogue *e, int64_t panel) {
  int64_t taps = s->kernel_height * s->kernel_width;
  int64_t quads = (taps + 3) / 4;
  int64_t last = strata_panels(w) - panel < GROUP ? strata_panels(w) - panel : GROUP;
  int8_t nothing[CHANNELS];
  memset(nothing, 0, sizeof nothing);
  __m512i codes[GROUP][MOST_QUADS];
  for (int64_t j = 0; j < last; j++) {
    for (int64_t block = 0; block * 8 < quads; block++) {
      unpack(w, strata_line(w, panel + j, block), &codes[j][block * 8]);
    }
  }
  __m512i centre = _mm512_set1_epi32(strata_centre(w));
  const int8_t *at[MOST_TAPS];
  int64_t m = 0;
  for (int64_t sample = 0; sample < s->samples; sample++) {
    for (int64_t y = 0; y < s->out_height; y++) {
      for (int64_t column = 0; column < s->out_width; column++, m++) {
        for (int64_t tap = 0; tap < quads * 4; tap++) {
          at[tap] = nothing;
        }
        for (int64_t kh = 0, tap = 0; kh < s->kernel_height; kh++) {
          for (int64_t kw = 0; kw < s->kernel_width; kw++, tap++) {
            int64_t pixel = strata_pixel(s, sample, y, column, kh, kw);
            at[tap] = (pixel < 0 ? pad_codes : x + pixel) + panel * STRATA_PANEL_ROWS;
          }
        }
        for (int64_t j = 0; j < last; j++) {
          __mmask16 mask = strata_panel_mask(w, panel + j);
          __m512i dot = _mm512_setzero_si512();
          __m512i sum = _mm512_setzero_si512();
          for (int64_t i = 0; i < quads; i++) {
            __m512i q = interleave(at + 4 * i, j * STRATA_PANEL_ROWS, mask);
            dot = strata_dot(dot, codes[j][i], q);
            sum = strata_dot(sum, _mm512_set1_epi8(1), q);
          }
          __m512i whole =
              _mm512_sub_epi32(_mm512_add_epi32(dot, dot), _mm512_mullo_epi32(centre, sum));
          const uint8_t *table = strata_group(w, panel + j, 0);
          __m512 none = _mm512_setzero_ps();
          __m512 by = _mm512_set1_ps(x_scale[sample]);
          __m512 a1 = _mm512_fmadd_ps(strata_scale_codes(table),
                                      _mm512_mul_ps(by, _mm512_cvtepi32_ps(whole)), none);
          __m512 a2 = _mm512_fmadd_ps(strata_offset_codes(table),
                                      _mm512_mul_ps(by, _mm512_cvtepi32_ps(sum)), none);
          strata_store16(w, e, m, panel + j, mask, a1, a2);
        }
      }
    }
  }
}

void strata_depthwise_wba8_x16__avx512(const struct strata_weights *w,
                                       const struct strata_window *s, const int8_t *x,
                                       const float *x_scale, const int8_t *pad_codes,
                                       const struct strata_epilogue *e) {
  if (s->kernel_height * s->kernel_width > MOST_TAPS) {
    strata_depthwise_wba8_x1__scalar(w, s, x, x_scale, pad_codes, e);
    return;
  }
  for (int64_t panel = 0; panel < strata_panels(w); panel += GROUP) {
    run_panels(w, s, x, x_scale, pad_codes, e, panel);
  }
}
