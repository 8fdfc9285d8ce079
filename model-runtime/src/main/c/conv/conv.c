#include "conv/conv.h"

#include "epilogue/epilogue.h"
#include "weights.h"
#include "window.h"

enum { CHUNK_BYTES = 256 << 10, CHUNK_ROWS = 480, LINE = 64 };

static int64_t round_up(int64_t bytes) { return (bytes + LINE - 1) / LINE * LINE; }

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Window positions laid out at a time: as many as fill a quarter of a level 2 cache.
static int64_t chunk_rows(const struct strata_weights *w) {
  int64_t rows = CHUNK_BYTES / w->columns / 24 * 24;
  return rows < 24 ? 24 : smaller(rows, CHUNK_ROWS);
}

static int64_t sums_bytes(const struct strata_weights *w) {
  return round_up(chunk_rows(w) * strata_group_count(w) * (int64_t)sizeof(int32_t));
}

static int64_t scale_bytes(const struct strata_weights *w) {
  return round_up(chunk_rows(w) * strata_group_count(w) * (int64_t)sizeof(float));
}

static int64_t codes_bytes(const struct strata_weights *w) {
  return round_up(chunk_rows(w) * w->columns);
}

int64_t strata_conv_scratch(const struct strata_weights *w, const struct strata_window *s) {
  (void)s;
  return sums_bytes(w) + scale_bytes(w) + codes_bytes(w) + strata_block_scratch(w);
}

// A 1x1 window that steps over every pixel: the image is its own matrix of rows.
static int is_pointwise(const struct strata_weights *w, const struct strata_window *s) {
  return s->kernel_height == 1 && s->kernel_width == 1 && s->stride_height == 1 &&
         s->stride_width == 1 && s->pad_top == 0 && s->pad_left == 0 &&
         s->out_height == s->height && s->out_width == s->width && w->columns == s->channels;
}

void strata_conv(const struct strata_weights *w, int64_t submatrices, const struct strata_window *s,
                 const int8_t *x, const float *x_scale, int64_t pad_code,
                 const struct strata_epilogue *e, void *scratch) {
  int64_t channels = s->channels / submatrices;
  int64_t pixels = s->out_height * s->out_width;
  int64_t rows = strata_out_rows(s);
  int64_t chunk = chunk_rows(w);
  int64_t groups = strata_group_count(w);
  int32_t *sums = scratch;
  float *scale = (float *)((uint8_t *)scratch + sums_bytes(w));
  int8_t *laid_out = (int8_t *)scale + scale_bytes(w);
  void *block_scratch = laid_out + codes_bytes(w);

  for (int64_t i = 0; i < submatrices; i++) {
    for (int64_t first = 0; first < rows; first += chunk) {
      int64_t count = smaller(chunk, rows - first);
      const int8_t *codes = laid_out;
      if (is_pointwise(&w[i], s)) {
        codes = x + first * s->channels;
      } else {
        strata_conv_rows(s, x, i * channels, channels, pad_code, w[i].columns, first, count,
                         laid_out);
      }
      strata_group_sums(codes, count, w[i].columns, w[i].group, sums);
      for (int64_t m = 0; m < count; m++) {
        for (int64_t g = 0; g < groups; g++) {
          scale[m * groups + g] = x_scale[(first + m) / pixels];
        }
      }
      struct strata_rows part = {codes, sums, scale, count};
      struct strata_epilogue end =
          strata_epilogue_part(e, first, i * w[i].rows, i * strata_panels(w) * STRATA_PANEL_ROWS);
      strata_block(&w[i], &part, &end, block_scratch);
    }
  }
}
