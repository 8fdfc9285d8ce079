#include "conv/conv.h"

#include <string.h>

#include "conv/im2col.h"
#include "epilogue/clamp.h"
#include "epilogue/epilogue.h"
#include "weights.h"
#include "window.h"

static const struct {
  uint32_t isa;
  strata_conv_row *run;
} table[] = {
#define CONV(isa, name) {isa, name},
#include "conv/conv.inc"
#undef CONV
};

static strata_conv_row *chosen = strata_conv_wba8_x1__scalar;

void strata_conv_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

enum { LINE = 64 };

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

// How one convolution reads its image.
struct way {
  int64_t taps, channels;  // of a group
  int64_t unit;            // channels that a pixel's sums are over; 0: windows are laid out as rows
  int64_t chunk;           // positions
};

// A window is read in place where each tap is whole words of four codes and the groups of columns
// are made of whole units of channels. Otherwise it is one tap of all columns: its row of im2col.
static struct way way_of(const struct strata_weights *w, int64_t submatrices,
                         const struct strata_window *s) {
  struct way way = {s->kernel_height * s->kernel_width, s->channels / submatrices, 0, 0};
  int64_t outputs = strata_out_rows(s);
  int64_t unit =
      strata_group_count(w) == 1 ? way.channels : greatest_common_divisor(way.channels, w->group);
  if (way.channels % 4 == 0 && (unit == way.channels || unit % STRATA_BLOCK_COLUMNS == 0)) {
    way.unit = unit;
  } else {
    way.taps = 1;
    way.channels = w->columns;
  }
  way.chunk = strata_positions_chunk(way.taps, outputs);
  return way;
}

// What lies where in the scratch.
struct memory {
  const int8_t **taps;  // [taps][chunk]
  int32_t *sums;        // [chunk][groups]
  float *scale;         // [chunk]
  int8_t *outside;      // [channels]
  int32_t *pixel_sums;  // [pixels][units]
  int8_t *rows;         // [chunk][columns]
  void *row;            // scratch of a row of the table
  int64_t bytes;
};

static void *take(struct memory *memory, void *scratch, int64_t bytes) {
  void *at = (uint8_t *)scratch + memory->bytes;
  memory->bytes += (bytes + LINE - 1) / LINE * LINE;
  return at;
}

static struct memory memory_of(const struct strata_weights *w, const struct strata_window *s,
                               const struct way *way, void *scratch) {
  struct memory memory = {0};
  memory.taps = take(&memory, scratch, way->taps * way->chunk * (int64_t)sizeof(int8_t *));
  memory.sums = take(&memory, scratch, way->chunk * strata_group_count(w) * 4);
  memory.scale = take(&memory, scratch, way->chunk * 4);
  memory.row = take(&memory, scratch, strata_conv_row_bytes(w, way->chunk));
  if (way->unit > 0) {
    int64_t units = s->samples * s->height * s->width * (s->channels / way->unit);
    memory.outside = take(&memory, scratch, way->channels);
    memory.pixel_sums = take(&memory, scratch, units * 4);
  } else {
    memory.rows = take(&memory, scratch, way->chunk * w->columns);
  }
  return memory;
}

int64_t strata_conv_scratch(const struct strata_weights *w, int64_t submatrices,
                            const struct strata_window *s) {
  struct way way = way_of(w, submatrices, s);
  return memory_of(w, s, &way, NULL).bytes;
}

struct conv {
  const struct strata_window *s;
  const int8_t *x;
  const float *x_scale;
  int64_t pad_code;
  int64_t channels;  // of a group
  struct way way;
  struct memory memory;
};

// Sums of the units of all pixels that a window reaches, and the pixel outside the image.
static void prepare_pixels(const struct conv *c) {
  const struct strata_window *s = c->s;
  int64_t unit = c->way.unit, units = s->channels / unit;
  int64_t last = strata_tap(s->out_height - 1, s->kernel_height - 1, s->stride_height,
                            s->dilation_height, s->pad_top);
  int64_t from = s->pad_top < 0 ? -s->pad_top : 0;
  int64_t count = (smaller(last + 1, s->height) - from) * s->width;
  for (int64_t sample = 0; sample < s->samples && count > 0; sample++) {
    int64_t first = (sample * s->height + from) * s->width;
    const int8_t *codes = c->x + first * s->channels;
    int32_t *sums = c->memory.pixel_sums + first * units;
    if (unit % STRATA_BLOCK_COLUMNS == 0) {
      strata_group_sums(codes, count, s->channels, unit, sums);
      continue;
    }
    for (int64_t i = 0; i < count * units; i++) {
      sums[i] = 0;
      for (int64_t j = 0; j < unit; j++) {
        sums[i] += codes[i * unit + j];
      }
    }
  }
  memset(c->memory.outside, (int)c->pad_code, (size_t)c->channels);
}

static void find_in_place(const struct conv *c, const struct strata_weights *w, int64_t i,
                          int64_t first, struct strata_positions *positions) {
  int64_t unit = c->way.unit;
  struct strata_pixels pixels = {.codes = c->x + i * c->channels,
                                 .bytes = c->s->channels,
                                 .outside = c->memory.outside,
                                 .channels = c->channels,
                                 .unit = unit,
                                 .sums = c->memory.pixel_sums + i * c->channels / unit,
                                 .units = c->s->channels / unit,
                                 .outside_sum = (int32_t)(c->pad_code * unit)};
  strata_positions_find(c->s, &pixels, first, w->group, strata_group_count(w), positions);
}

// Rows of im2col, each the only tap of its position.
static void lay_out(const struct conv *c, const struct strata_weights *w, int64_t i, int64_t first,
                    struct strata_positions *positions) {
  int8_t *rows = c->memory.rows;
  strata_im2col_rows(c->s, c->x, i * c->channels, c->channels, c->pad_code, w->columns, first,
                     positions->count, rows);
  strata_group_sums(rows, positions->count, w->columns, w->group, positions->sums);
  for (int64_t m = 0; m < positions->count; m++) {
    positions->taps[m] = rows + m * w->columns;
  }
}

// Positions from `first` on of group i.
static void run_chunk(const struct conv *c, const struct strata_weights *w, int64_t i,
                      int64_t first, const struct strata_epilogue *e) {
  struct strata_positions positions = {
      .taps = c->memory.taps,
      .tap_count = c->way.taps,
      .channels = c->way.channels,
      .count = smaller(c->way.chunk, strata_out_rows(c->s) - first),
      .sums = c->memory.sums,
      .scale = c->memory.scale};
  if (c->way.unit > 0) {
    find_in_place(c, w, i, first, &positions);
  } else {
    lay_out(c, w, i, first, &positions);
  }
  for (int64_t m = 0; m < positions.count; m++) {
    positions.scale[m] = c->x_scale[(first + m) / (c->s->out_height * c->s->out_width)];
  }
  struct strata_epilogue end =
      strata_epilogue_part(e, first, i * w->rows, i * strata_panels(w) * STRATA_PANEL_ROWS);
  chosen(w, &positions, &end, c->memory.row);
  if (!strata_is_clamp(e)) {
    strata_epilogue_activate(&end, 0, positions.count, w->rows);
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
                   .way = way_of(w, submatrices, s)};
  c.memory = memory_of(w, s, &c.way, scratch);
  if (c.way.unit > 0) {
    prepare_pixels(&c);
  }
  for (int64_t i = 0; i < submatrices; i++) {
    for (int64_t first = 0; first < strata_out_rows(s); first += c.way.chunk) {
      run_chunk(&c, &w[i], i, first, e);
    }
  }
}
