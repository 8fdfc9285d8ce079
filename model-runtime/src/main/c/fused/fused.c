// Steps that end in the codes of the next product, so that between two products no float goes
// further than the level 2 cache. Made of the kernels of the other families: what runs per element
// is theirs.
#include "block/block.h"
#include "epilogue/epilogue.h"
#include "float/float.h"
#include "weights.h"

enum { FLOAT_ALIGNMENT = 64 };

static int64_t aligned(int64_t bytes) {
  return (bytes + FLOAT_ALIGNMENT - 1) / FLOAT_ALIGNMENT * FLOAT_ALIGNMENT;
}

// Columns [from, from + width) of the output, whole groups or the last ones, to codes.
static void requantize_part(const float *x, int64_t x_stride, int64_t rows, int64_t from,
                            int64_t width, const struct strata_requantize *r, float *row) {
  int64_t groups = r->columns / r->group, first = from / r->group;
  // The last part pads with zeros to the end.
  int64_t end = (from + width + r->group - 1) / r->group * r->group;
  for (int64_t m = 0; m < rows; m++, x += x_stride) {
    const float *z = x;
    if (r->balance != 0) {
      strata_balance(x, r->balance + from, row, width);
      z = row;
    }
    int8_t *codes = r->codes + m * r->columns + from;
    int32_t *sums = r->sums + m * groups + first;
    if (r->scale != 0) {
      strata_quantize_rows(z, width, 1, width, end - from, r->group, codes, sums,
                           r->scale + m * groups + first);
    } else {
      strata_quantize_static(z, width, 1, width, end - from, r->group, (float)r->inverse_scale,
                             r->zero_point, r->low, r->high, codes, sums);
    }
  }
}

void strata_requantize_rows(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                            const struct strata_requantize *r, void *scratch) {
  requantize_part(x, x_stride, rows, 0, width, r, scratch);
}

void strata_layer_norm_codes(const float *x, const float *scale, const float *bias, float epsilon,
                             float *y, int64_t rows, int64_t width,
                             const struct strata_requantize *r, void *scratch) {
  float *balanced = scratch, *row = balanced + width;
  struct strata_requantize next = *r;
  int64_t groups = r->columns / r->group;
  for (int64_t m = 0; m < rows; m++, x += width) {
    float *to = y != 0 ? y + m * width : row;
    strata_layer_norm_f32(x, scale, bias, epsilon, to, 1, width);
    requantize_part(to, width, 1, 0, width, &next, balanced);
    next.codes += r->columns;
    next.sums += groups;
    if (next.scale != 0) next.scale += groups;
  }
}

// Weight rows computed before their codes are made: whole groups of the next layer and whole pairs
// of panels, so few that their floats are read while they are in a near cache and so many that
// what a product does once for its activations does not count.
static int64_t part_rows(const struct strata_weights *w, int64_t group) {
  enum { PART = 128 };
  int64_t part = (PART + group - 1) / group * group;
  return part < w->rows ? part : w->rows;
}

int64_t strata_linear_scratch(const struct strata_weights *w, int64_t rows, int64_t group) {
  int64_t part = part_rows(w, group);
  return aligned(strata_bitserial_scratch(w)) + aligned(part * (int64_t)sizeof(float)) +
         rows * part * (int64_t)sizeof(float);
}

// The panels of rows [from, from + rows).
static struct strata_weights panels(const struct strata_weights *w, int64_t from, int64_t rows) {
  struct strata_weights part = *w;
  int64_t panel = from / STRATA_PANEL_ROWS;
  for (int64_t p = 0; p < w->bits; p++) part.planes[p] += strata_line(w, panel, 0);
  part.rows = rows;
  part.groups = strata_group(w, panel, 0);
  part.scale += from;
  part.offset += from;
  return part;
}

void strata_linear(const struct strata_weights *w, const struct strata_rows *x,
                   const struct strata_epilogue *e, int64_t path, int64_t abits,
                   const struct strata_requantize *r, void *scratch) {
  int64_t most = part_rows(w, r->group);
  float *row = (float *)((uint8_t *)scratch + aligned(strata_bitserial_scratch(w)));
  float *floats = (float *)((uint8_t *)row + aligned(most * (int64_t)sizeof(float)));
  for (int64_t from = 0; from < w->rows; from += most) {
    int64_t rows = w->rows - from < most ? w->rows - from : most;
    struct strata_weights part = panels(w, from, rows);
    struct strata_epilogue out = strata_epilogue_part(e, 0, from, from);
    if (e->out == 0) {
      out.out = floats;
      out.out_stride = rows;
    }
    switch (path) {
      case STRATA_STREAM: strata_stream(&part, x, &out); break;
      case STRATA_BLOCK: strata_block(&part, x, &out, scratch); break;
      default: strata_bitserial(&part, x, abits, &out, scratch); break;
    }
    requantize_part(out.out, out.out_stride, x->count, from, rows, r, row);
  }
}
