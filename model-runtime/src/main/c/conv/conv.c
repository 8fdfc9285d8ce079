#include "conv/conv.h"

#include <string.h>

#include "conv/im2col.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "quantize/quantize.h"
#include "weights.h"

static const struct {
  uint32_t isa;
  const struct strata_conv_row *run;
} table[] = {
#define CONV(isa, name) {isa, &name},
#define CONV_PLANES(isa, name)
#include "conv/conv.inc"
#undef CONV
#undef CONV_PLANES
};

static const struct {
  uint32_t isa;
  const struct strata_conv_planes_row *run;
} planes_table[] = {
#define CONV(isa, name)
#define CONV_PLANES(isa, name) {isa, &name},
#include "conv/conv.inc"
#undef CONV
#undef CONV_PLANES
};

static const struct strata_conv_row *chosen = &strata_conv_wba8_x1__scalar;
static const struct strata_conv_planes_row *chosen_planes = &strata_conv_wbab_x1__scalar;

void strata_conv_select(uint32_t isa) {
  chosen = STRATA_PICK(table, isa);
  chosen_planes = STRATA_PICK(planes_table, isa);
}

enum { LINE = 64, CODES = 0 };

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

// How a convolution reads its image.
struct way {
  int64_t abits;           // planes of a pixel, or CODES
  int64_t pixel;           // bytes of a pixel
  int64_t taps, channels;  // of a group of channels
  int64_t unit;            // channels that a pixel's sums are over; 0: windows are laid out as rows
  int64_t chunk;           // positions, under taps
  int64_t rows, pitch;     // positions as rows, bytes of one
};

// A window is read in place where each tap is whole words and the groups of columns are made of
// whole units of channels. Otherwise it is one tap of all columns: its row of im2col.
static struct way way_of(const struct strata_weights *w, int64_t submatrices,
                         const struct strata_window *s, int64_t abits) {
  struct way way = {.abits = abits,
                    .pixel = abits == CODES ? s->channels : abits * s->channels / 8,
                    .taps = s->kernel_height * s->kernel_width,
                    .channels = s->channels / submatrices};
  int64_t unit =
      strata_group_count(w) == 1 ? way.channels : greatest_common_divisor(way.channels, w->group);
  if (way.channels % 4 == 0 && (unit == way.channels || unit % STRATA_BLOCK_COLUMNS == 0)) {
    way.unit = unit;
  } else {
    way.taps = 1;
    way.channels = w->columns;
  }
  way.chunk = strata_positions_chunk(way.taps, strata_out_rows(s));
  way.pitch = strata_conv_pitch(w);
  way.rows = strata_smaller(strata_larger(CONV_ROWS_BYTES / way.pitch, 1), way.chunk);
  return way;
}

// What lies where in the scratch.
struct memory {
  const int8_t **taps;  // [taps][chunk]
  int32_t *sums;        // [chunk][groups]
  float *scale;         // [chunk]
  void *row;            // scratch of a row of the table
  int8_t *outside;      // a pixel
  int32_t *pixel_sums;  // [pixels][units]
  int8_t *rows;         // [rows][pitch], or [chunk][columns]
  int64_t bytes;
};

static void *take(struct memory *memory, void *scratch, int64_t bytes) {
  void *at = (uint8_t *)scratch + memory->bytes;
  memory->bytes += strata_ceil_div(bytes, LINE) * LINE;
  return at;
}

static struct memory memory_of(const struct strata_weights *w, const struct strata_window *s,
                               const struct way *way, void *scratch) {
  struct memory memory = {0};
  memory.taps = take(&memory, scratch, way->taps * way->chunk * (int64_t)sizeof(int8_t *));
  memory.sums = take(&memory, scratch, way->chunk * strata_group_count(w) * 4);
  memory.scale = take(&memory, scratch, way->chunk * 4);
  int64_t product = way->abits == CODES ? strata_block_scratch(w) : strata_bitserial_scratch(w);
  memory.row = take(&memory, scratch, strata_conv_row_bytes(w, way->chunk, product));
  if (way->unit > 0) {
    int64_t units = s->samples * s->height * s->width * (s->channels / way->unit);
    memory.outside = take(&memory, scratch, way->pixel);
    memory.pixel_sums = take(&memory, scratch, units * 4);
  }
  int64_t rows = way->abits == CODES ? way->rows * way->pitch : 0;
  int64_t single = way->unit == 0 ? way->chunk * w->columns : 0;
  memory.rows = take(&memory, scratch, strata_larger(rows, single));
  return memory;
}

int64_t strata_conv_scratch(const struct strata_weights *w, int64_t submatrices,
                            const struct strata_window *s) {
  struct way way = way_of(w, submatrices, s, CODES);
  return memory_of(w, s, &way, NULL).bytes;
}

int64_t strata_conv_bitserial_scratch(const struct strata_weights *w, int64_t submatrices,
                                      const struct strata_window *s, int64_t abits) {
  struct way way = way_of(w, submatrices, s, abits);
  return memory_of(w, s, &way, NULL).bytes;
}

struct conv {
  const struct strata_window *s;
  const int8_t *x;  // pixels of codes or of planes
  const float *x_scale;
  int64_t pad_code;
  int64_t channels;  // of a group
  struct way way;
  struct memory memory;
};

static int reads_rows(const struct conv *c) {
  return c->way.abits == CODES && chosen->find == NULL;
}

static void lay_out_outside(const struct conv *c) {
  if (c->way.abits == CODES) {
    memset(c->memory.outside, (int)c->pad_code, (size_t)c->way.pixel);
    return;
  }
  int64_t plane = c->s->channels / 8;
  for (int64_t t = 0; t < c->way.abits; t++) {
    memset(c->memory.outside + t * plane, c->pad_code >> t & 1 ? 0xff : 0, (size_t)plane);
  }
}

// Sums of the units of `count` pixels.
static void sum_units(const struct conv *c, const int8_t *pixels, int64_t count, int32_t *sums) {
  int64_t unit = c->way.unit, channels = c->s->channels;
  if (c->way.abits != CODES) {
    chosen_planes->sum((const uint32_t *)pixels, count, channels / STRATA_BLOCK_COLUMNS,
                       c->way.abits, unit / STRATA_BLOCK_COLUMNS, sums);
  } else if (unit % 16 == 0) {
    strata_group_sums(pixels, count, channels, unit, sums);
  } else {
    for (int64_t i = 0; i < count * (channels / unit); i++) {
      sums[i] = 0;
      for (int64_t j = 0; j < unit; j++) {
        sums[i] += pixels[i * unit + j];
      }
    }
  }
}

// Sums of all pixels that a window reaches, and the pixel outside the image.
static void prepare_pixels(const struct conv *c) {
  const struct strata_window *s = c->s;
  int64_t last = strata_tap(s->out_height - 1, s->kernel_height - 1, s->stride_height,
                            s->dilation_height, s->pad_top);
  int64_t from = strata_larger(0, -s->pad_top);
  int64_t count = (strata_smaller(last + 1, s->height) - from) * s->width;
  for (int64_t sample = 0; sample < s->samples && count > 0; sample++) {
    int64_t first = (sample * s->height + from) * s->width;
    sum_units(c, c->x + first * c->way.pixel, count,
              c->memory.pixel_sums + first * (s->channels / c->way.unit));
  }
  lay_out_outside(c);
}

// The pixels of group i.
static struct strata_pixels pixels_of(const struct conv *c, int64_t i) {
  int64_t unit = c->way.unit;
  int64_t first = c->way.abits == CODES ? i * c->channels : i * c->channels / 8;
  return (struct strata_pixels){.codes = c->x + first,
                                .bytes = c->way.pixel,
                                .outside = c->memory.outside,
                                .channels = c->channels,
                                .unit = unit,
                                .sums = c->memory.pixel_sums + i * c->channels / unit,
                                .units = c->s->channels / unit,
                                .outside_sum = (int32_t)(c->pad_code * unit)};
}

static void set_scales(const struct conv *c, struct strata_positions *x) {
  int64_t pixels = c->s->out_height * c->s->out_width;
  for (int64_t m = 0; m < x->count;) {
    int64_t sample = (x->first + m) / pixels;
    int64_t end = strata_smaller((sample + 1) * pixels - x->first, x->count);
    for (; m < end; m++) {
      x->scale[m] = c->x_scale[sample];
    }
  }
}

// Where the columns of group i's positions are, and their sums.
static void find(const struct conv *c, const struct strata_weights *w, int64_t i,
                 struct strata_positions *x) {
  int as_rows = reads_rows(c);
  if (c->way.unit > 0 && !as_rows) {
    struct strata_pixels pixels = pixels_of(c, i);
    x->taps = c->memory.taps;
    (chosen->find != NULL ? chosen->find : strata_positions_find)(c->s, &pixels, x);
    return;
  }
  int8_t *rows = c->memory.rows;
  x->pitch = as_rows && chosen->whole_steps ? c->way.pitch : w->columns;
  strata_im2col_rows(c->s, c->x, i * c->channels, c->channels, c->pad_code, x->pitch, x->first,
                     x->count, rows);
  if (as_rows) {
    x->rows = rows;
    return;
  }
  x->taps = c->memory.taps;  // a row is the only tap of its position
  strata_group_sums(rows, x->count, w->columns, w->group, x->sums);
  for (int64_t m = 0; m < x->count; m++) {
    x->taps[m] = rows + m * w->columns;
  }
}

// `count` positions from `first` on of group i.
static void run_chunk(const struct conv *c, const struct strata_weights *w, int64_t i,
                      int64_t first, int64_t count, const struct strata_epilogue *e) {
  struct strata_positions x = {.tap_count = c->way.taps,
                               .channels = c->way.channels,
                               .plane = c->s->channels / 8,
                               .first = first,
                               .count = count,
                               .group = w->group,
                               .groups = strata_group_count(w),
                               .sums = c->memory.sums,
                               .scale = c->memory.scale};
  struct strata_epilogue end =
      strata_epilogue_part(e, first, i * w->rows, i * strata_panels(w) * STRATA_PANEL_ROWS);
  set_scales(c, &x);
  find(c, w, i, &x);
  if (c->way.abits == CODES) {
    chosen->run(w, &x, &end, c->memory.row);
  } else {
    chosen_planes->run(w, &x, c->way.abits, &end, c->memory.row);
  }
  if (!strata_is_clamp(e)) {
    strata_epilogue_activate(&end, 0, x.count, w->rows);
  }
}

static void run(struct conv *c, const struct strata_weights *w, int64_t submatrices,
                const struct strata_epilogue *e, void *scratch) {
  c->memory = memory_of(w, c->s, &c->way, scratch);
  int as_rows = reads_rows(c);
  if (c->way.unit > 0 && !as_rows) {
    prepare_pixels(c);
  }
  int64_t outputs = strata_out_rows(c->s), chunk = as_rows ? c->way.rows : c->way.chunk;
  for (int64_t i = 0; i < submatrices; i++) {
    for (int64_t first = 0; first < outputs; first += chunk) {
      run_chunk(c, &w[i], i, first, strata_smaller(chunk, outputs - first), e);
    }
  }
}

void strata_conv(const struct strata_weights *w, int64_t submatrices, const struct strata_window *s,
                 const int8_t *x, const float *x_scale, int64_t pad_code,
                 const struct strata_epilogue *e, void *scratch) {
  struct conv c = {.s = s,
                   .x = x,
                   .x_scale = x_scale,
                   .pad_code = pad_code,
                   .channels = s->channels / submatrices,
                   .way = way_of(w, submatrices, s, CODES)};
  run(&c, w, submatrices, e, scratch);
}

void strata_conv_bitserial(const struct strata_weights *w, int64_t submatrices,
                           const struct strata_window *s, int64_t abits, const uint32_t *x,
                           const float *x_scale, int64_t pad_code, const struct strata_epilogue *e,
                           void *scratch) {
  struct conv c = {.s = s,
                   .x = (const int8_t *)x,
                   .x_scale = x_scale,
                   .pad_code = pad_code,
                   .channels = s->channels / submatrices,
                   .way = way_of(w, submatrices, s, abits)};
  run(&c, w, submatrices, e, scratch);
}
