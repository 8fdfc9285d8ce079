#include <string.h>

#include "depthwise/depthwise.h"
#include "unpack_avx2.h"
#include "weights.h"
#include "window.h"

enum { MOST_TAPS = 128 };

// All pixels of 8 channels from c on.
static void run_half(const struct strata_weights *w, const struct strata_window *s, const int8_t *x,
                     const float *x_scale, const int8_t *pad_codes, const struct strata_epilogue *e,
                     int64_t c) {
  int64_t taps = s->kernel_height * s->kernel_width;
  size_t channels = w->rows - c < 8 ? (size_t)(w->rows - c) : 8;
  int half = (int)(c / 8 % 2);
  const uint8_t *table = strata_group(w, c / STRATA_PANEL_ROWS, 0);
  __m256i centre = _mm256_set1_epi32(strata_centre(w));
  __m256i codes[MOST_TAPS];
  for (int64_t tap = 0; tap < taps; tap++) {
    int32_t row[8];
    for (int64_t i = 0; i < 8; i++) {
      row[i] = strata_code(w, c + i, tap);
    }
    codes[tap] = _mm256_loadu_si256((const __m256i *)row);
  }
  int64_t m = 0;
  for (int64_t sample = 0; sample < s->samples; sample++) {
    for (int64_t y = 0; y < s->out_height; y++) {
      for (int64_t column = 0; column < s->out_width; column++, m++) {
        __m256i dot = _mm256_setzero_si256();
        __m256i sum = _mm256_setzero_si256();
        for (int64_t kh = 0, tap = 0; kh < s->kernel_height; kh++) {
          for (int64_t kw = 0; kw < s->kernel_width; kw++, tap++) {
            int64_t pixel = strata_pixel(s, sample, y, column, kh, kw);
            int64_t bytes = 0;
            memcpy(&bytes, (pixel < 0 ? pad_codes : x + pixel) + c, channels);
            __m256i q = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(bytes));
            dot = _mm256_add_epi32(dot, _mm256_mullo_epi32(codes[tap], q));
            sum = _mm256_add_epi32(sum, q);
          }
        }
        __m256i whole =
            _mm256_sub_epi32(_mm256_add_epi32(dot, dot), _mm256_mullo_epi32(centre, sum));
        __m256 none = _mm256_setzero_ps();
        __m256 by = _mm256_set1_ps(x_scale[sample]);
        __m256 a1 = _mm256_fmadd_ps(strata_scale_codes(table, half),
                                    _mm256_mul_ps(by, _mm256_cvtepi32_ps(whole)), none);
        __m256 a2 = _mm256_fmadd_ps(strata_offset_codes(table, half),
                                    _mm256_mul_ps(by, _mm256_cvtepi32_ps(sum)), none);
        strata_store8(w, e, m, c, a1, a2);
      }
    }
  }
}

void strata_depthwise_wba8_x8__avx2(const struct strata_weights *w, const struct strata_window *s,
                                    const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                                    const struct strata_epilogue *e) {
  if (s->kernel_height * s->kernel_width > MOST_TAPS) {
    strata_depthwise_wba8_x1__scalar(w, s, x, x_scale, pad_codes, e);
    return;
  }
  for (int64_t c = 0; c < w->rows; c += 8) {
    run_half(w, s, x, x_scale, pad_codes, e, c);
  }
}
