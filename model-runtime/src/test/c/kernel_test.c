// Every row of every kernel table against the scalar row, bit for bit, on random and on edge
// shapes. Buffers end at an unreadable page; planes that a width does not read are null pointers.
//
//   kernel_test [seed]
#define _GNU_SOURCE
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "conv/im2col.h"
#include "isa.h"
#include "quantize/quantize.h"

static uint64_t state;
static int passed, failed;

static uint64_t next(void) {  // xorshift64*
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

static int64_t below(int64_t bound) { return (int64_t)(next() >> 33) % bound; }

static int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }

static int64_t edge(void) {
  static const int64_t sizes[] = {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 127};
  return sizes[below(sizeof sizes / sizeof *sizes)];
}

static float real(void) { return (float)below(2001) / 1000 - 1; }

// ---- memory that ends at an unreadable page ---------------------------------------------------

static void *maps[256];
static size_t map_bytes[256];
static int map_count;

static void *guarded(int64_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t used = ((size_t)bytes + page - 1) / page * page;
  uint8_t *map =
      mmap(NULL, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || map_count == 256 || mprotect(map + used, page, PROT_NONE) != 0) {
    perror("kernel_test: guarded memory");
    exit(2);
  }
  maps[map_count] = map;
  map_bytes[map_count++] = used + page;
  return map + used - (size_t)bytes;
}

static void release_all(void) {
  while (map_count > 0) {
    map_count--;
    munmap(maps[map_count], map_bytes[map_count]);
  }
}

enum filling { ZEROS, ONES, RANDOM };

static void *bytes(int64_t count, enum filling filling) {
  uint8_t *at = guarded(count);
  for (int64_t i = 0; i < count; i++) {
    at[i] = filling == ZEROS ? 0 : filling == ONES ? 0xff : (uint8_t)next();
  }
  return at;
}

static float *reals(int64_t count) {
  float *at = guarded(count * 4);
  for (int64_t i = 0; i < count; i++) {
    at[i] = real();
  }
  return at;
}

static void *scratch(int64_t size) { return guarded((size + 63) / 64 * 64); }

// ---- comparison with the scalar row
// ---------------------------------------------------------------

struct test {
  void (*run)(void *self);
  void *outputs[3];
  int64_t output_bytes[3];
  char name[200];
};

static void compare(struct test *test, void *self) {
  void *expected[3] = {0};
  for (uint32_t isa = STRATA_ISA_SCALAR; isa <= strata_isa_probe(); isa++) {
    if (strata_isa_select(isa) != isa) {
      continue;  // a number of another architecture
    }
    for (int i = 0; i < 3; i++) {
      if (test->outputs[i]) {
        memset(test->outputs[i], 0x5a, (size_t)test->output_bytes[i]);
      }
    }
    test->run(self);
    int equal = 1;
    for (int i = 0; i < 3; i++) {
      size_t size = (size_t)test->output_bytes[i];
      if (test->outputs[i] && isa == STRATA_ISA_SCALAR) {
        expected[i] = malloc(size + 1);
        memcpy(expected[i], test->outputs[i], size);
      } else if (test->outputs[i]) {
        equal &= memcmp(expected[i], test->outputs[i], size) == 0;
      }
    }
    if (equal) {
      passed++;
    } else {
      failed++;
      printf("%s differs from scalar: %s\n", strata_isa_name(isa), test->name);
    }
  }
  for (int i = 0; i < 3; i++) {
    free(expected[i]);
  }
  release_all();
}

// ---- layered products
// -------------------------------------------------------------------------------

static struct strata_weights weights(int64_t bits, int64_t rows, int64_t columns, int64_t group,
                                     int64_t submatrices, enum filling filling) {
  int64_t panels = (rows + 15) / 16 * submatrices;
  struct strata_weights w = {.bits = bits, .rows = rows, .columns = columns, .group = group};
  for (int64_t p = 0; p < bits; p++) {
    w.planes[p] = bytes(panels * columns * 2, filling);
  }
  w.groups = bytes(panels * (columns / group) * 32, RANDOM);
  w.scale = reals(panels * 16);
  w.offset = reals(panels * 16);
  return w;
}

// The last row ends where its values end, whatever the stride.
static int64_t out_bytes(int64_t rows, int64_t columns, int64_t stride) {
  return rows == 0 ? 0 : ((rows - 1) * stride + columns) * 4;
}

static struct strata_epilogue epilogue(int64_t rows, int64_t columns, int64_t bias_count) {
  static const int64_t functions[] = {STRATA_IDENTITY,   STRATA_RELU, STRATA_CLIP,
                                      STRATA_HARD_SWISH, STRATA_GELU, STRATA_SIGMOID};
  struct strata_epilogue e = {.activation = functions[below(6)], .alpha = -0.5f, .beta = 0.75f};
  e.bias = reals(bias_count);
  e.out_stride = columns + below(3);
  e.out = guarded(out_bytes(rows, columns, e.out_stride));
  e.residual_stride = columns + below(3);
  e.residual = below(2) ? reals(rows * e.residual_stride) : NULL;
  return e;
}

enum product { STREAM, BLOCK, BITSERIAL, CODEBOOK, ADDER, GATHER };

struct product_case {
  enum product kind;
  struct strata_weights w;
  struct strata_rows x;
  struct strata_epilogue e;
  int64_t abits;
  int8_t *codebook;
  int64_t *ids;
  int64_t width;
  void *scratch;
};

static void run_product(void *self) {
  struct product_case *p = self;
  switch (p->kind) {
    case STREAM: strata_stream(&p->w, &p->x, &p->e); break;
    case BLOCK: strata_block(&p->w, &p->x, &p->e, p->scratch); break;
    case BITSERIAL: strata_bitserial(&p->w, &p->x, p->abits, &p->e, p->scratch); break;
    case CODEBOOK: strata_codebook(&p->w, p->codebook, &p->x, &p->e, p->scratch); break;
    case ADDER: strata_adder(&p->w, p->width, &p->x, &p->e, p->scratch); break;
    case GATHER:
      strata_gather(&p->w, p->ids, p->x.count, p->width, p->e.out, p->e.out_stride);
      break;
  }
}

static void product(enum product kind, int64_t bits, int64_t rows, int64_t columns, int64_t group,
                    int64_t count, enum filling filling) {
  static const char *const names[] = {"stream",   "block", "bitserial",
                                      "codebook", "adder", "gather"};
  struct product_case p = {.kind = kind, .abits = between(1, 4)};
  p.w = weights(bits, rows, columns, group, 1, filling);
  p.x.count = count;
  float *scale = reals(count * (columns / group));
  int ones = below(2) == 1;  // of rows whose codes are worth 1 kernels take shorter ways
  for (int64_t i = 0; ones && i < count * (columns / group); i++) {
    scale[i] = 1;
  }
  p.x.scale = scale;
  int32_t *sums = guarded(count * (columns / group) * 4);
  if (kind == BITSERIAL) {
    p.x.codes = bytes(count * p.abits * columns / 8, filling);
    for (int64_t i = 0; i < count * (columns / group); i++) {
      sums[i] = (int32_t)below(15 * group);
    }
  } else {
    p.x.codes = bytes(count * columns, filling);
    strata_group_sums(p.x.codes, count, columns, group, sums);
  }
  p.x.sums = sums;
  int64_t width = rows;
  if (kind == CODEBOOK) {
    int narrow = below(2);
    p.codebook = bytes(1 << bits, filling);
    for (int64_t i = 0; narrow && i < 1 << bits; i++) {
      p.codebook[i] /= 2;
    }
  }
  if (kind == ADDER) {  // codes beyond the width are zero, weights there are anything
    p.width = columns - below(group);
    for (int64_t m = 0; m < count; m++) {
      int8_t *row = (int8_t *)p.x.codes + m * columns;
      memset(row + p.width, 0, (size_t)(columns - p.width));
    }
    p.w.groups = NULL;
    p.w.offset = NULL;
    p.x.sums = NULL;
    p.x.scale = NULL;
  }
  if (kind == GATHER) {
    width = p.width = between(1, columns);
    p.ids = guarded(count * 8);
    for (int64_t i = 0; i < count; i++) {
      p.ids[i] = below(rows);
    }
  }
  p.e = epilogue(count, width, (rows + 15) / 16 * 16);
  p.scratch = scratch(strata_bitserial_scratch(&p.w));  // the largest
  struct test test = {run_product, {p.e.out}, {out_bytes(count, width, p.e.out_stride)}, ""};
  snprintf(test.name, sizeof test.name, "%s bits %ld rows %ld columns %ld group %ld count %ld",
           names[kind], (long)bits, (long)rows, (long)columns, (long)group, (long)count);
  compare(&test, &p);
}

static void products(void) {
  for (enum product kind = STREAM; kind <= GATHER; kind++) {
    for (int64_t bits = 1; bits <= 8; bits++) {
      product(kind, bits, 33, 192, 64, 13, ZEROS);
      product(kind, bits, 33, 192, 64, 13, ONES);
      product(kind, bits, 16, 1024, 32, 14, RANDOM);    // packed activations
      product(kind, bits, 17, 1056, 1056, 14, RANDOM);  // one group, longer than a tile
      product(kind, bits, 31, 1280, 640, 3, RANDOM);    // groups longer than a tile
      product(kind, bits, 16, 64, 64, 0, RANDOM);
      product(kind, bits, 33, 4160, 64, 7, RANDOM);    // more columns than a wide tile has
      product(kind, bits, 16, 8320, 4160, 2, RANDOM);  // groups longer than a wide tile
      for (int i = 0; i < 8; i++) {
        int64_t group = 32 * between(1, 4);
        product(kind, bits, edge(), group * between(1, 5), group, between(1, 26), RANDOM);
      }
    }
  }
  product(BLOCK, 4, 40, 96, 32, 250, RANDOM);
  product(BLOCK, 8, 16, 32768, 32768, 2, ONES);
  product(STREAM, 8, 16, 32768, 32768, 2, ONES);
  product(CODEBOOK, 8, 16, 32768, 32768, 2, RANDOM);
}

// ---- convolution
// --------------------------------------------------------------------------------------

struct conv_case {
  int depthwise;
  int64_t abits;  // of bit-planes, or 0
  int64_t submatrices, pad_code;
  int8_t *pad_codes;
  struct strata_weights w[4];
  struct strata_window s;
  int8_t *x;         // codes
  uint32_t *planes;  // of x
  float *scale;
  struct strata_epilogue e;
  void *scratch;
  float *unrolled;  // what im2col and a product give, in rows as those of e.out
  int64_t bytes;    // of either
};

static struct strata_window window(int64_t samples, int64_t channels) {
  struct strata_window s = {.samples = samples,
                            .height = between(1, 9),
                            .width = between(1, 9),
                            .channels = channels,
                            .kernel_height = between(1, 5),
                            .kernel_width = between(1, 5),
                            .stride_height = between(1, 2),
                            .stride_width = between(1, 3),
                            .dilation_height = between(1, 2),
                            .dilation_width = between(1, 2),
                            .pad_top = below(3),
                            .pad_left = below(3)};
  s.out_height = between(1, 6);
  s.out_width = between(1, 6);
  return s;
}

// The definition of strata_conv: windows laid out as rows, then a product for each group.
static void run_unrolled(const struct conv_case *c) {
  int64_t rows = c->s.samples * c->s.out_height * c->s.out_width;
  int64_t channels = c->s.channels / c->submatrices;
  int64_t columns = c->w[0].columns;
  int64_t groups = columns / c->w[0].group;
  int8_t *codes = malloc((size_t)(rows * columns));
  int32_t *sums = malloc((size_t)(rows * groups) * 4);
  float *scale = malloc((size_t)(rows * groups) * 4);
  void *room = aligned_alloc(64, (size_t)(strata_block_scratch(c->w) + 63) / 64 * 64);
  for (int64_t i = 0; i < rows * groups; i++) {
    scale[i] = c->scale[i / groups / (c->s.out_height * c->s.out_width)];
  }
  for (int64_t i = 0; i < c->submatrices; i++) {
    const struct strata_weights *w = &c->w[i];
    struct strata_epilogue e = c->e;
    e.out = c->unrolled + i * w->rows;
    e.bias += i * ((w->rows + 15) / 16 * 16);
    e.residual = e.residual ? e.residual + i * w->rows : NULL;
    strata_im2col_rows(&c->s, c->x, i * channels, channels, c->pad_code, columns, 0, rows, codes);
    strata_group_sums(codes, rows, columns, w->group, sums);
    struct strata_rows x = {codes, sums, scale, rows};
    strata_block(w, &x, &e, room);
  }
  free(codes);
  free(sums);
  free(scale);
  free(room);
}

static void run_conv(void *self) {
  struct conv_case *c = self;
  if (c->depthwise) {
    strata_depthwise(c->w, &c->s, c->x, c->scale, c->pad_codes, &c->e);
  } else {
    if (c->abits > 0) {
      strata_pack_planes(c->x, c->s.samples * c->s.height * c->s.width, c->s.channels, c->abits,
                         c->planes);
      strata_conv_bitserial(c->w, c->submatrices, &c->s, c->abits, c->planes, c->scale, c->pad_code,
                            &c->e, c->scratch);
    } else {
      strata_conv(c->w, c->submatrices, &c->s, c->x, c->scale, c->pad_code, &c->e, c->scratch);
    }
    memset(c->unrolled, 0x5a, (size_t)c->bytes);
    run_unrolled(c);
    if (memcmp(c->unrolled, c->e.out, (size_t)c->bytes) != 0) {
      failed++;
      printf("conv differs from its windows times its matrix:\n");
    }
  }
}

enum shape { DEPTHWISE, POINTWISE, ANY_CHANNELS, WORDS, BLOCKS, PLANES };

static int64_t channels_of(enum shape shape) {
  switch (shape) {
    case DEPTHWISE: return edge();
    case ANY_CHANNELS: return between(1, 20);
    case WORDS: return 4 * between(1, 12);
    default: return 32 * between(1, 3);
  }
}

static void convolution(enum shape shape, int64_t bits) {
  int depthwise = shape == DEPTHWISE;
  struct conv_case c = {.depthwise = depthwise, .pad_code = between(-128, 127)};
  if (shape == PLANES) {
    c.abits = between(1, 7);  // eight would not be unsigned in im2col
    c.pad_code = below(1 << c.abits);
  }
  int64_t per_group = channels_of(shape);
  c.submatrices = depthwise || shape == POINTWISE ? 1 : between(1, 4);
  c.s = window(between(1, 2), per_group * c.submatrices);
  if (shape == POINTWISE) {
    c.s = (struct strata_window){2, 5, 7, per_group, 5, 7, 1, 1, 1, 1, 1, 1, 0, 0};
  }
  if (below(4) == 0) {  // more positions than a chunk has
    c.s.out_height = 29;
    c.s.out_width = 31;
  }
  int64_t taps = c.s.kernel_height * c.s.kernel_width;
  int64_t columns = ((depthwise ? taps : taps * per_group) + 31) / 32 * 32;
  int64_t group = depthwise || below(2) || columns % 64 ? columns : 64;
  int64_t rows = depthwise ? per_group : between(1, 70);
  int64_t outputs = c.s.samples * c.s.out_height * c.s.out_width;
  int64_t width = rows * c.submatrices;
  for (int64_t i = 0; i < c.submatrices; i++) {
    c.w[i] = weights(bits, rows, columns, group, 1, RANDOM);
  }
  int64_t codes = c.s.samples * c.s.height * c.s.width * c.s.channels;
  c.x = bytes(codes, RANDOM);
  for (int64_t i = 0; i < codes && c.abits > 0; i++) {
    c.x[i] = (int8_t)(c.x[i] & ((1 << c.abits) - 1));
  }
  c.planes = guarded(codes / 8 * c.abits);
  c.pad_codes = bytes(c.s.channels, RANDOM);
  c.scale = reals(c.s.samples);
  c.e = epilogue(outputs, width, (rows + 15) / 16 * 16 * c.submatrices);
  c.scratch = scratch(c.abits > 0 ? strata_conv_bitserial_scratch(c.w, c.submatrices, &c.s, c.abits)
                                  : strata_conv_scratch(c.w, c.submatrices, &c.s));
  int64_t size = out_bytes(outputs, width, c.e.out_stride);
  c.unrolled = guarded(size);
  c.bytes = size;
  struct test test = {run_conv, {c.e.out}, {size}, ""};
  snprintf(
      test.name, sizeof test.name,
      "%s bits %ld x %ld channels %ld rows %ld groups %ld image %ldx%ld kernel %ldx%ld columns %ld "
      "of %ld",
      depthwise ? "depthwise" : "conv", (long)bits, (long)c.abits, (long)c.s.channels, (long)rows,
      (long)c.submatrices, (long)c.s.height, (long)c.s.width, (long)c.s.kernel_height,
      (long)c.s.kernel_width, (long)columns, (long)group);
  compare(&test, &c);
}

static void convolutions(void) {
  for (int64_t bits = 1; bits <= 8; bits++) {
    convolution(POINTWISE, bits);
    for (int i = 0; i < 8; i++) {
      convolution(DEPTHWISE, bits);
      convolution(ANY_CHANNELS, bits);
      convolution(WORDS, bits);
      convolution(BLOCKS, bits);
      convolution(PLANES, bits);
    }
  }
}

// ---- quantizers
// -----------------------------------------------------------------------------------------

struct quantize_case {
  int kind;  // 0 rows, 1 samples, 2 static, 3 planes, 4 channels
  int64_t rows, width, stride, columns, group, abits;
  float *x;
  int8_t *codes;
  int32_t *sums;
  float *scale;
  float *inverse_scale;
  int8_t *zero_point;
  uint32_t *planes;
};

static void run_quantize(void *self) {
  struct quantize_case *q = self;
  switch (q->kind) {
    case 0:
      strata_quantize_rows(q->x, q->stride, q->rows, q->width, q->columns, q->group, q->codes,
                           q->sums, q->scale);
      break;
    case 1: strata_quantize_samples(q->x, q->rows, q->width, q->codes, q->scale); break;
    case 2:
      strata_quantize_static(q->x, q->stride, q->rows, q->width, q->columns, q->group, 9.5f, 3, 0,
                             15, q->codes, q->sums);
      break;
    case 3: strata_pack_planes(q->codes, q->rows, q->columns, q->abits, q->planes); break;
    default:
      strata_quantize_channels(q->x, q->rows, q->width, q->inverse_scale, q->zero_point, q->codes);
      break;
  }
}

static void quantizer(int kind, int extreme) {
  struct quantize_case q = {.kind = kind,
                            .rows = between(1, 4),
                            .width = edge() + below(2) * 300,
                            .abits = between(1, 8)};
  q.group = 32 * between(1, 3);
  q.stride = kind == 1 || kind == 4 ? q.width : q.width + below(3);
  q.columns = (q.width + q.group - 1) / q.group * q.group;
  q.x = reals((q.rows - 1) * q.stride + q.width);
  for (int64_t i = 0; extreme && i < q.width; i++) {
    static const float values[] = {0, -0.0f, FLT_MAX, -FLT_MAX, 1e-40f, 0.5f, 1.5f, -2.5f};
    q.x[i] = extreme == 1 ? 0 : extreme == 2 ? values[below(8)] : 1e-40f * (float)below(3);
  }
  int64_t codes = kind == 1 || kind == 4 ? q.rows * q.width : q.rows * q.columns;
  q.codes = bytes(codes, RANDOM);
  q.sums = guarded(q.rows * (q.columns / q.group) * 4);
  int64_t scales = kind == 0 ? q.rows * (q.columns / q.group) : q.rows;
  q.scale = guarded(scales * 4);
  q.inverse_scale = reals(q.width);
  q.zero_point = bytes(q.width, RANDOM);
  for (int64_t i = 0; i < q.width; i++) {
    q.inverse_scale[i] = fabsf(q.inverse_scale[i]) * 90;
  }
  q.planes = guarded(q.rows * q.abits * q.columns / 8);
  struct test test = {run_quantize, {q.codes}, {codes}, ""};
  if (kind == 3) {
    test.outputs[0] = q.planes;
    test.output_bytes[0] = q.rows * q.abits * q.columns / 8;
  }
  if (kind == 0 || kind == 2) {
    test.outputs[1] = q.sums;
    test.output_bytes[1] = q.rows * (q.columns / q.group) * 4;
  }
  if (kind < 2) {
    test.outputs[2] = q.scale;
    test.output_bytes[2] = scales * 4;
  }
  snprintf(test.name, sizeof test.name, "quantizer %d rows %ld width %ld columns %ld group %ld",
           kind, (long)q.rows, (long)q.width, (long)q.columns, (long)q.group);
  compare(&test, &q);
}

static void quantizers(void) {
  for (int kind = 0; kind < 5; kind++) {
    for (int i = 0; i < 40; i++) {
      quantizer(kind, i < 4 ? i : 0);
    }
  }
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : (uint64_t)time(NULL);
  state = seed * 2 + 1;
  products();
  convolutions();
  quantizers();
  printf("%d passed, %d failed, seed %llu, best instruction set %s\n", passed, failed,
         (unsigned long long)seed, strata_isa_name(strata_isa_probe()));
  return failed == 0 ? 0 : 1;
}
