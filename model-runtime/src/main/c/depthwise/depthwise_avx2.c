#include <string.h>

#include "depthwise/depthwise.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "unpack_avx2.h"
#include "weights.h"
#include "window.h"

// A multiplication of 16-bit words adds two taps of one column of the kernel. The pixels under
// them, interleaved, and their sum are made once for each column of the image and serve every
// output that sees it.
enum {
  STACK = 2,         // rows of a kernel column in one operand
  MOST_TAPS = 128,   // sums of so many products and their doubles have a float
  COLUMNS = 128,     // columns of the image at a time, times the pairs of a kernel column
  MOST_PAIRS = 128,  // of all kernel columns
  MOST_ROWS = 128,   // of a kernel
  WHOLE = STRATA_PANEL_ROWS,
};

// One panel of channels.
struct channels {
  const struct strata_window *s;
  int64_t stacks;  // of a kernel column: pairs of rows, the last filled up with nothing
  int64_t span;    // columns of the image that a kernel sees
  int64_t panel;
  int64_t count;                 // that exist
  __m256i codes[MOST_PAIRS][2];  // [kernel_width][pairs]: words of 8 channels x 2 rows
  __m256 scale_codes[2], offset_codes[2], scale[2], offset[2], bias[2], low, high;
  float minus_half;  // -centre / 2
};

// Columns of one output row's image rows.
struct columns {
  const int8_t *rows[MOST_ROWS];  // the panel's channels of column 0, or its pad codes
  int64_t steps[MOST_ROWS];       // bytes from one column to the next
  __m256i pixels[COLUMNS][2];     // [columns][pairs], as codes
  __m256i sums[COLUMNS][2];       // [columns] of the pixels under a kernel column
};

// Codes lie tap after tap; a tap's code goes where its row and column of the kernel are.
static void arrange(const struct strata_weights *w, struct channels *c) {
  const struct strata_window *s = c->s;
  memset(c->codes, 0, sizeof c->codes);
  const __m256i last_byte = _mm256_set1_epi32(0xff);
  for (int j = 0; j < 2; j++) {
    __m256i unpacked[MOST_TAPS / 4];
    int64_t taps = s->kernel_height * s->kernel_width;
    for (int64_t block = 0; block * 32 < taps; block++) {
      strata_unpack(w->planes, strata_line(w, c->panel, block) + 32 * j, w->bits,
                    &unpacked[block * 8]);
    }
    for (int64_t kh = 0, tap = 0; kh < s->kernel_height; kh++) {
      for (int64_t kw = 0; kw < s->kernel_width; kw++, tap++) {
        __m128i from = _mm_cvtsi64_si128(tap % 4 * 8), to = _mm_cvtsi64_si128(kh % 2 * 16);
        __m256i code = _mm256_and_si256(_mm256_srl_epi32(unpacked[tap / 4], from), last_byte);
        __m256i *at = &c->codes[kw * c->stacks + kh / 2][j];
        *at = _mm256_or_si256(*at, _mm256_sll_epi32(code, to));
      }
    }
  }
}

static void prepare(const struct strata_weights *w, const struct strata_epilogue *e,
                    struct channels *c) {
  const uint8_t *table = strata_group(w, c->panel, 0);
  struct strata_clamp clamp = strata_clamp_of(e);
  int64_t first = c->panel * STRATA_PANEL_ROWS;
  c->count = w->rows - first < WHOLE ? w->rows - first : WHOLE;
  for (int j = 0; j < 2; j++) {
    __m256 once = strata_scale_codes(table, j);
    c->scale_codes[j] = _mm256_add_ps(once, once);  // what is scaled is I/2
    c->offset_codes[j] = strata_offset_codes(table, j);
    c->scale[j] = _mm256_loadu_ps(w->scale + first + 8 * j);
    c->offset[j] = _mm256_loadu_ps(w->offset + first + 8 * j);
    c->bias[j] = _mm256_loadu_ps(e->bias + first + 8 * j);
  }
  c->low = _mm256_set1_ps(clamp.low);
  c->high = _mm256_set1_ps(clamp.high);
  c->minus_half = -0.5f * (float)strata_centre(w);
  arrange(w, c);
}

// `count` channels of a pixel; nothing beyond them is read.
STRATA_INLINE __m128i load_channels(const int8_t *at, int64_t count) {
  if (count == WHOLE) {
    return _mm_loadu_si128((const __m128i *)at);
  }
  int8_t copy[WHOLE] = {0};
  memcpy(copy, at, (size_t)count);
  return _mm_loadu_si128((const __m128i *)copy);
}

// Rows 2p and 2p + 1 of one column as words, channel by channel, and their sum.
STRATA_INLINE void interleave(__m128i upper, __m128i lower, __m256i pixels[2], __m256i sums[2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  pixels[0] = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(upper, lower));
  pixels[1] = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(upper, lower));
  sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(pixels[0], ones));
  sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(pixels[1], ones));
}

// Column `x` of the image into column `i` of the buffer.
STRATA_INLINE void load_column(struct columns *b, int64_t x, int64_t i, int64_t height,
                               int64_t pairs, int64_t count) {
  __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
#pragma GCC unroll 3
  for (int64_t p = 0; p < pairs; p++) {
    __m128i upper = load_channels(b->rows[2 * p] + x * b->steps[2 * p], count);
    __m128i lower = _mm_setzero_si128();
    if (2 * p + 1 < height) {
      lower = load_channels(b->rows[2 * p + 1] + x * b->steps[2 * p + 1], count);
    }
    interleave(upper, lower, b->pixels[i * pairs + p], sums);
  }
  b->sums[i][0] = sums[0];
  b->sums[i][1] = sums[1];
}

// A column outside the image.
STRATA_INLINE void load_pads(struct columns *b, __m128i pads, int64_t i, int64_t height,
                             int64_t pairs) {
  __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (int64_t p = 0; p < pairs; p++) {
    interleave(pads, 2 * p + 1 < height ? pads : _mm_setzero_si128(), b->pixels[i * pairs + p],
               sums);
  }
  b->sums[i][0] = sums[0];
  b->sums[i][1] = sums[1];
}

STRATA_INLINE void load_columns(const struct channels *c, const int8_t *pads, struct columns *b,
                                int64_t first, int64_t count, int64_t height, int64_t pairs) {
  __m128i outside = load_channels(pads, c->count);
  for (int64_t i = 0; i < count; i++) {
    if (first + i < 0 || first + i >= c->s->width) {
      load_pads(b, outside, i, height, pairs);
    } else if (c->count == WHOLE) {
      load_column(b, first + i, i, height, pairs, WHOLE);
    } else {
      load_column(b, first + i, i, height, pairs, c->count);
    }
  }
}

// Half j of the channels of `count` outputs of a row, whose columns are in the buffer. A copy of
// what is the same for all stays in registers.
STRATA_INLINE void run_half(const struct channels *c, const struct columns *b, int j, int64_t count,
                            int64_t width, int64_t pairs, float worth, const float *residual,
                            int64_t residual_stride, float *out, int64_t out_stride) {
  const int64_t stride = c->s->stride_width, dilation = c->s->dilation_width;
  const __m256 none = _mm256_setzero_ps(), by = _mm256_set1_ps(worth);
  const __m256 minus_half = _mm256_set1_ps(c->minus_half);
  const __m256 scale_codes = c->scale_codes[j], offset_codes = c->offset_codes[j];
  const __m256 scale = c->scale[j], offset = c->offset[j], bias = c->bias[j];
  const __m256 low = c->low, high = c->high;
  const int64_t left = c->count - 8 * j;
  for (int64_t i = 0; i < count; i++, out += out_stride) {
    int64_t column = i * stride;
    __m256i dot = _mm256_setzero_si256(), sum = _mm256_setzero_si256();
#pragma GCC unroll 5
    for (int64_t kw = 0; kw < width; kw++, column += dilation) {
#pragma GCC unroll 3
      for (int64_t p = 0; p < pairs; p++) {
        __m256i products =
            _mm256_madd_epi16(c->codes[kw * pairs + p][j], b->pixels[column * pairs + p][j]);
        dot = _mm256_add_epi32(dot, products);
      }
      sum = _mm256_add_epi32(sum, b->sums[column][j]);
    }
    __m256 total = _mm256_cvtepi32_ps(sum);
    __m256 half = _mm256_fmadd_ps(minus_half, total, _mm256_cvtepi32_ps(dot));
    __m256 a1 = _mm256_fmadd_ps(scale_codes, _mm256_mul_ps(by, half), none);
    __m256 a2 = _mm256_fmadd_ps(offset_codes, _mm256_mul_ps(by, total), none);
    __m256 y = _mm256_fmadd_ps(scale, a1, _mm256_mul_ps(offset, a2));
    y = _mm256_add_ps(y, bias);
    if (residual) {
      y = _mm256_add_ps(y, strata_load8(residual + i * residual_stride, left));
    }
    y = _mm256_min_ps(high, _mm256_max_ps(low, y));  // the second operand where one is NaN
    strata_store8(out, left, y);
  }
}

STRATA_INLINE void run_outputs(const struct channels *c, const struct columns *b, int64_t count,
                               int64_t width, int64_t pairs, float worth, const float *residual,
                               int64_t residual_stride, float *out, int64_t out_stride) {
  for (int j = 0; j < 2 && 8 * j < c->count; j++) {
    run_half(c, b, j, count, width, pairs, worth, residual ? residual + 8 * j : NULL,
             residual_stride, out + 8 * j, out_stride);
  }
}

#define FALLBACK strata_depthwise_wba8_x1__scalar
#include "depthwise/columns.inc"

void strata_depthwise_wba8_x16__avx2(const struct strata_weights *w, const struct strata_window *s,
                                     const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                                     const struct strata_epilogue *e) {
  run(w, s, x, x_scale, pad_codes, e);
}
