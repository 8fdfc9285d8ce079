#include "depthwise/depthwise.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "unpack_avx512.h"
#include "weights.h"
#include "window.h"

// A dot product adds four taps of one column of the kernel. The pixels under them, interleaved, and
// their sum are made once for each column of the image and serve every output that sees it.
enum {
  STACK = 4,         // rows of a kernel column in one operand
  MOST_TAPS = 128,   // sums of so many products and their doubles have a float
  COLUMNS = 128,     // columns of the image at a time, times the quads of a kernel column
  MOST_QUADS = 128,  // of all kernel columns
  MOST_ROWS = 128,   // of a kernel
};

// One panel of channels.
struct channels {
  const struct strata_window *s;
  int64_t stacks;  // of a kernel column: quads of rows, the last filled up with nothing
  int64_t span;    // columns of the image that a kernel sees
  int64_t panel;
  __mmask16 mask;
  __m512i codes[MOST_QUADS];  // [kernel_width][quads]: byte 4c + t is channel c under row 4q + t
  __m512 scale_codes, offset_codes, scale, offset, bias, low, high;
  float minus_half;  // -centre / 2
};

// Columns of one output row's image rows.
struct columns {
  const int8_t *rows[MOST_ROWS];  // the panel's channels of column 0, or its pad codes
  int64_t steps[MOST_ROWS];       // bytes from one column to the next
  __m512i pixels[COLUMNS];        // [columns][quads], as codes
  __m512i sums[COLUMNS];          // [columns] of the pixels under a kernel column
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

// Codes lie tap after tap; a tap's byte goes where its row and column of the kernel are.
static void arrange(const struct strata_weights *w, struct channels *c) {
  const struct strata_window *s = c->s;
  __m512i unpacked[MOST_TAPS / 4];
  int64_t taps = s->kernel_height * s->kernel_width;
  for (int64_t block = 0; block * 32 < taps; block++) {
    unpack(w, strata_line(w, c->panel, block), &unpacked[block * 8]);
  }
  for (int64_t i = 0; i < s->kernel_width * c->stacks; i++) {
    c->codes[i] = _mm512_setzero_si512();
  }
  const __m512i last_byte = _mm512_set1_epi32(0xff);
  for (int64_t kh = 0, tap = 0; kh < s->kernel_height; kh++) {
    for (int64_t kw = 0; kw < s->kernel_width; kw++, tap++) {
      __m128i from = _mm_cvtsi64_si128(tap % 4 * 8), to = _mm_cvtsi64_si128(kh % 4 * 8);
      __m512i code = _mm512_and_si512(_mm512_srl_epi32(unpacked[tap / 4], from), last_byte);
      __m512i *at = &c->codes[kw * c->stacks + kh / 4];
      *at = _mm512_or_si512(*at, _mm512_sll_epi32(code, to));
    }
  }
}

static void prepare(const struct strata_weights *w, const struct strata_epilogue *e,
                    struct channels *c) {
  const uint8_t *table = strata_group(w, c->panel, 0);
  int64_t first = c->panel * STRATA_PANEL_ROWS;
  struct strata_clamp clamp = strata_clamp_of(e);
  c->mask = strata_panel_mask(w, c->panel);
  __m512 once = strata_scale_codes(table);
  c->scale_codes = _mm512_add_ps(once, once);  // what is scaled is I/2
  c->offset_codes = strata_offset_codes(table);
  c->scale = _mm512_maskz_loadu_ps(c->mask, w->scale + first);
  c->offset = _mm512_maskz_loadu_ps(c->mask, w->offset + first);
  c->bias = _mm512_maskz_loadu_ps(c->mask, e->bias + first);
  c->low = _mm512_set1_ps(clamp.low);
  c->high = _mm512_set1_ps(clamp.high);
  c->minus_half = -0.5f * (float)strata_centre(w);
  arrange(w, c);
}

// Rows [4q, 4q + count) of one column: byte 4c + t is channel c of row 4q + t.
STRATA_INLINE __m512i interleave(const int8_t *const *at, int64_t count, __mmask16 mask) {
  const __m512i order =
      _mm512_set_epi32(0x3f2f1f0f, 0x3e2e1e0e, 0x3d2d1d0d, 0x3c2c1c0c, 0x3b2b1b0b, 0x3a2a1a0a,
                       0x39291909, 0x38281808, 0x37271707, 0x36261606, 0x35251505, 0x34241404,
                       0x33231303, 0x32221202, 0x31211101, 0x30201000);
  __m512i all = _mm512_zextsi128_si512(_mm_maskz_loadu_epi8(mask, at[0]));
  if (count > 1) {
    all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(mask, at[1]), 1);
  }
  if (count > 2) {
    all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(mask, at[2]), 2);
  }
  if (count > 3) {
    all = _mm512_inserti32x4(all, _mm_maskz_loadu_epi8(mask, at[3]), 3);
  }
  return _mm512_permutexvar_epi8(order, all);
}

// Column `x` of the image into column `i` of the buffer.
STRATA_INLINE void load_column(struct columns *b, int64_t x, int64_t i, int64_t height,
                               int64_t quads, __mmask16 mask) {
  __m512i sum = _mm512_setzero_si512();
  for (int64_t q = 0; q < quads; q++) {
    int64_t count = height - 4 * q;
    const int8_t *at[4] = {0};
#pragma GCC unroll 4
    for (int64_t t = 0; t < 4 && t < count; t++) {
      at[t] = b->rows[4 * q + t] + x * b->steps[4 * q + t];
    }
    __m512i pixels = interleave(at, count, mask);
    b->pixels[i * quads + q] = pixels;
    sum = strata_dot(sum, _mm512_set1_epi8(1), pixels);
  }
  b->sums[i] = sum;
}

// `count` columns of the image from `first` on.
STRATA_INLINE void load_masked(const struct channels *c, const int8_t *pads, struct columns *b,
                               int64_t first, int64_t count, int64_t height, int64_t quads,
                               __mmask16 mask) {
  __m512i pad[MOST_ROWS / 4];
  __m512i pad_sum = _mm512_setzero_si512();
  const int8_t *at[4] = {pads, pads, pads, pads};
  for (int64_t q = 0; q < quads; q++) {
    pad[q] = interleave(at, height - 4 * q, mask);
    pad_sum = strata_dot(pad_sum, _mm512_set1_epi8(1), pad[q]);
  }
  for (int64_t i = 0; i < count; i++) {
    if (first + i < 0 || first + i >= c->s->width) {
      for (int64_t q = 0; q < quads; q++) {
        b->pixels[i * quads + q] = pad[q];
      }
      b->sums[i] = pad_sum;
    } else {
      load_column(b, first + i, i, height, quads, mask);
    }
  }
}

STRATA_INLINE void load_columns(const struct channels *c, const int8_t *pads, struct columns *b,
                                int64_t first, int64_t count, int64_t height, int64_t quads) {
  if (c->mask == 0xffff) {
    load_masked(c, pads, b, first, count, height, quads, 0xffff);
  } else {
    load_masked(c, pads, b, first, count, height, quads, c->mask);
  }
}

// `count` outputs of a row, whose columns are in the buffer. A copy of what is the same for all
// stays in registers.
STRATA_INLINE void run_outputs(const struct channels *c, const struct columns *b, int64_t count,
                               int64_t width, int64_t quads, float worth, const float *residual,
                               int64_t residual_stride, float *out, int64_t out_stride) {
  const int64_t stride = c->s->stride_width, dilation = c->s->dilation_width;
  const __m512 none = _mm512_setzero_ps(), by = _mm512_set1_ps(worth);
  const __m512 minus_half = _mm512_set1_ps(c->minus_half);
  const __m512 scale_codes = c->scale_codes, offset_codes = c->offset_codes;
  const __m512 scale = c->scale, offset = c->offset, bias = c->bias, low = c->low, high = c->high;
  const __mmask16 mask = c->mask;
  for (int64_t i = 0; i < count; i++, out += out_stride) {
    int64_t column = i * stride;
    __m512i dot = _mm512_setzero_si512(), sum = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int64_t kw = 0; kw < width; kw++, column += dilation) {
#pragma GCC unroll 2
      for (int64_t q = 0; q < quads; q++) {
        dot = strata_dot(dot, c->codes[kw * quads + q], b->pixels[column * quads + q]);
      }
      sum = _mm512_add_epi32(sum, b->sums[column]);
    }
    __m512 total = _mm512_cvtepi32_ps(sum);
    __m512 half = _mm512_fmadd_ps(minus_half, total, _mm512_cvtepi32_ps(dot));
    __m512 a1 = _mm512_fmadd_ps(scale_codes, _mm512_mul_ps(by, half), none);
    __m512 a2 = _mm512_fmadd_ps(offset_codes, _mm512_mul_ps(by, total), none);
    __m512 y = _mm512_fmadd_ps(scale, a1, _mm512_mul_ps(offset, a2));
    y = _mm512_add_ps(y, bias);
    if (residual) {
      y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, residual + i * residual_stride));
    }
    y = _mm512_min_ps(high, _mm512_max_ps(low, y));  // the second operand where one is NaN
    _mm512_mask_storeu_ps(out, mask, y);
  }
}

#define FALLBACK strata_depthwise_wba8_x16__avx512bw
#include "depthwise/columns.inc"

void strata_depthwise_wba8_x16__avx512(const struct strata_weights *w,
                                       const struct strata_window *s, const int8_t *x,
                                       const float *x_scale, const int8_t *pad_codes,
                                       const struct strata_epilogue *e) {
  run(w, s, x, x_scale, pad_codes, e);
}
