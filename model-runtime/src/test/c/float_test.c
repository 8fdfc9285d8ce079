// Every instruction set's float operators against the scalar ones, bit for bit, on random and on
// edge shapes. Buffers end at an unreadable page. What the results should be is FloatKernelsTest's
// matter.
//
//   float_test [seed]
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "isa.h"

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
  static const int64_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100};
  return sizes[below(sizeof sizes / sizeof *sizes)];
}

// ---- memory that ends at an unreadable page ---------------------------------------------------

static void *maps[64];
static size_t map_bytes[64];
static int map_count;

static void *guarded(int64_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t used = ((size_t)bytes + page - 1) / page * page;
  uint8_t *map =
      mmap(NULL, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || map_count == 64 || mprotect(map + used, page, PROT_NONE) != 0) {
    perror("float_test: guarded memory");
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

static float *empty(int64_t count) { return guarded(count * 4); }

static float *reals(int64_t count) {
  float *at = empty(count);
  for (int64_t i = 0; i < count; i++) at[i] = (float)between(-4000, 4000) / 1000;
  return at;
}

// ---- comparison with the scalar row -----------------------------------------------------------

// Equal bits, or both NaN: the sign and payload of a NaN depend on the order of operands.
static int same(const float *a, const float *b, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (memcmp(a + i, b + i, sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) return 0;
  }
  return 1;
}

// Runs `call` on each instruction set; `count` floats of `out` must come out the same.
#define COMPARE(out, count, call, ...)                                         \
  do {                                                                         \
    float *expected = malloc((size_t)(count)*4 + 4);                           \
    for (uint32_t isa = STRATA_ISA_SCALAR; isa <= strata_isa_probe(); isa++) { \
      if (strata_isa_select(isa) != isa) continue;                             \
      memset(out, 0x5a, (size_t)(count)*4);                                    \
      call;                                                                    \
      if (isa == STRATA_ISA_SCALAR) memcpy(expected, out, (size_t)(count)*4);  \
      if (same((const float *)(out), expected, count)) {                       \
        passed++;                                                              \
      } else {                                                                 \
        failed++;                                                              \
        printf("%s differs from scalar: ", strata_isa_name(isa));              \
        printf(__VA_ARGS__);                                                   \
        printf("\n");                                                          \
      }                                                                        \
    }                                                                          \
    free(expected);                                                            \
    release_all();                                                             \
  } while (0)

static void test_matmul(void) {
  int64_t batch = between(1, 3), m = edge() % 40, n = edge(), k = edge(), turned = below(2);
  int64_t lda = k + below(3), ldb = (turned ? k : n) + below(3), stride = n + below(3);
  int64_t b_rows = turned ? n : k, b_width = turned ? k : n;
  int64_t a_stride = m * lda, b_stride = below(2) ? b_rows * ldb : 0, c_stride = m * stride;
  int64_t activation = below(STRATA_RECIPROCAL + 1);
  if (m == 0) return;
  float *a = reals((batch - 1) * a_stride + (m - 1) * lda + k);
  float *b = reals((batch - 1) * b_stride + (b_rows - 1) * ldb + b_width);
  int64_t count = (batch - 1) * c_stride + (m - 1) * stride + n;
  float *out = empty(count);
  struct strata_epilogue e = {.bias = below(3) ? reals(n) : 0,
                              .residual = batch == 1 && below(2) ? reals((m - 1) * stride + n) : 0,
                              .residual_stride = stride,
                              .activation = activation,
                              .alpha = 0.25,
                              .beta = 0.5,
                              .out = out,
                              .out_stride = stride};
  void *scratch = guarded((strata_matmul_scratch(n, k) + 63) / 64 * 64);
  COMPARE(out, count,
          strata_matmul_f32(batch, m, n, k, a, lda, a_stride, b, ldb, b_stride, turned, &e,
                            c_stride, scratch),
          "matmul %d x %dx%dx%d, transposed %d, activation %d", (int)batch, (int)m, (int)n, (int)k,
          (int)turned, (int)activation);
}

static struct strata_window window(int64_t kernel) {
  struct strata_window s = {.samples = between(1, 2),
                            .height = between(1, 9),
                            .width = between(1, 9),
                            .channels = edge(),
                            .kernel_height = between(1, kernel),
                            .kernel_width = between(1, kernel),
                            .stride_height = between(1, 3),
                            .stride_width = between(1, 3),
                            .dilation_height = between(1, 2),
                            .dilation_width = between(1, 2)};
  int64_t high = s.dilation_height * (s.kernel_height - 1),
          wide = s.dilation_width * (s.kernel_width - 1);
  s.pad_top = between(0, high);
  s.pad_left = between(0, wide);
  s.out_height = (s.height + s.pad_top - 1) / s.stride_height + 1;
  s.out_width = (s.width + s.pad_left - 1) / s.stride_width + 1;
  return s;
}

static void test_depthwise(void) {
  struct strata_window s = window(below(20) == 0 ? 30 : 4);
  int64_t pixels = s.samples * s.out_height * s.out_width, stride = s.channels + below(3);
  int64_t count = (pixels - 1) * stride + s.channels;
  float *x = reals(s.samples * s.height * s.width * s.channels);
  float *weights = reals(s.channels * s.kernel_height * s.kernel_width);
  float *out = empty(count);
  struct strata_epilogue e = {.bias = reals(s.channels),
                              .residual = below(2) ? reals(count) : 0,
                              .residual_stride = stride,
                              .activation = STRATA_HARD_SWISH,
                              .out = out,
                              .out_stride = stride};
  COMPARE(out, count, strata_depthwise_f32(&s, x, weights, &e), "depthwise %dx%d, %d channels",
          (int)s.kernel_height, (int)s.kernel_width, (int)s.channels);
}

static void test_pool(void) {
  struct strata_window s = window(4);
  int64_t count = s.samples * s.out_height * s.out_width * s.channels, padding = below(2);
  int64_t function = below(2), bottom = below(3), right = below(3);
  float *x = reals(s.samples * s.height * s.width * s.channels), *y = empty(count);
  COMPARE(y, count, strata_pool_f32(function, &s, bottom, right, padding, x, y),
          "pool %d, %d channels", (int)function, (int)s.channels);
}

static void test_unary(void) {
  int64_t function = below(STRATA_RECIPROCAL + 1), count = below(10) == 0 ? 5000 : edge();
  float *x = empty(count), *y = empty(count);
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)next();  // any float: denormals, infinities, NaN
    memcpy(x + i, &bits, sizeof bits);
    if (below(2)) x[i] = (float)between(-20000, 20000) / 1000;
  }
  COMPARE(y, count, strata_unary_f32(function, 0.2f, 0.5f, x, y, count), "unary %d of %d",
          (int)function, (int)count);
}

// Random strides of an operand that broadcasts some axes and leaves gaps; returns its extent.
static int64_t strides(int64_t rank, const int64_t *dims, int64_t *stride) {
  int64_t run = 1, last = 0;
  for (int64_t axis = rank - 1; axis >= 0; axis--) {
    stride[axis] = below(3) == 0 ? 0 : run;
    last += stride[axis] * (dims[axis] - 1);
    if (stride[axis] != 0) run = run * dims[axis] + (below(4) == 0);
  }
  return last + 1;
}

static int64_t shape(int64_t rank, int64_t *dims) {
  int64_t count = 1;
  for (int64_t axis = 0; axis < rank; axis++) {
    dims[axis] = axis == rank - 1 ? edge() : between(1, 4);
    count *= dims[axis];
  }
  return count;
}

static void test_binary(void) {
  int64_t rank = between(0, 5), dims[8], a_strides[8], b_strides[8], function = below(8);
  int64_t count = shape(rank, dims);
  float *a = reals(strides(rank, dims, a_strides)), *b = reals(strides(rank, dims, b_strides));
  float *y = empty(count);
  COMPARE(y, count, strata_binary_f32(function, rank, dims, a_strides, b_strides, a, b, y),
          "binary %d, rank %d, %d values", (int)function, (int)rank, (int)count);
}

static void test_where(void) {
  int64_t rank = between(0, 4), dims[8], c_strides[8], a_strides[8], b_strides[8];
  int64_t count = shape(rank, dims), extent = strides(rank, dims, c_strides);
  int64_t *condition = guarded(extent * 8);
  for (int64_t i = 0; i < extent; i++) condition[i] = below(2) << below(40);
  float *a = reals(strides(rank, dims, a_strides)), *b = reals(strides(rank, dims, b_strides));
  float *y = empty(count);
  COMPARE(y, count,
          strata_where_f32(rank, dims, c_strides, a_strides, b_strides, condition, a, b, y),
          "where, rank %d, %d values", (int)rank, (int)count);
}

static void test_rows(void) {
  int64_t rows = between(1, 5), width = edge(), inner = below(2) ? 1 : edge(), function = below(3);
  float *x = reals(rows * width), *y = empty(rows * width);
  COMPARE(y, rows * width, strata_softmax_f32(x, y, rows, width), "softmax %d", (int)width);
  x = reals(rows * width), y = empty(rows * width);
  float *scale = reals(width), *bias = reals(width);
  COMPARE(y, rows * width, strata_layer_norm_f32(x, scale, bias, 1e-5f, y, rows, width),
          "layer norm %d", (int)width);
  x = reals(rows * width * inner), y = empty(rows * inner);
  COMPARE(y, rows * inner, strata_reduce_f32(function, rows, width, inner, x, y),
          "reduce %d, %d by %d", (int)function, (int)width, (int)inner);
}

static void test_copy(void) {
  int64_t rank = between(0, 4), dims[8], from[8], order[8], to[8], run = 1;
  int64_t size = below(2) ? 4 : 8, count = shape(rank, dims), extent = strides(rank, dims, from);
  for (int64_t axis = 0; axis < rank; axis++) order[axis] = axis;
  for (int64_t axis = rank - 1; axis > 0; axis--) {  // dst is dense in a random order of axes
    int64_t other = below(axis + 1), moved = order[axis];
    order[axis] = order[other], order[other] = moved;
  }
  for (int64_t i = rank - 1; i >= 0; i--) to[order[i]] = run, run *= dims[order[i]];
  uint32_t *src = guarded(extent * size), *dst = guarded(count * size);
  for (int64_t i = 0; i < extent * size / 4; i++) src[i] = (uint32_t)i + 1;
  COMPARE(dst, count * size / 4, strata_copy(size, rank, dims, from, to, src, dst),
          "copy of %d bytes, rank %d, %d elements", (int)size, (int)rank, (int)count);
}

static void test_resize(void) {
  int64_t height = between(1, 6), width = between(1, 6), channels = edge();
  int64_t out_height = between(1, 9), out_width = between(1, 9), n = between(1, 2);
  int64_t *tables = guarded(2 * (out_height + out_width) * 8);
  int64_t *row0 = tables, *row1 = row0 + out_height, *col0 = row1 + out_height;
  int64_t *col1 = col0 + out_width;
  for (int64_t i = 0; i < 2 * out_height; i++) row0[i] = below(height);
  for (int64_t i = 0; i < 2 * out_width; i++) col0[i] = below(width);
  float *down = reals(out_height), *right = reals(out_width);
  float *x = reals(n * height * width * channels),
        *y = empty(n * out_height * out_width * channels);
  COMPARE(y, n * out_height * out_width * channels,
          strata_resize_f32(n, height, width, channels, out_height, out_width, row0, row1, down,
                            col0, col1, right, x, y),
          "resize of %d channels", (int)channels);
}

static void test_moves(void) {
  int64_t count = edge(), axis = between(1, 9), inner = edge(), outer = between(1, 3);
  int64_t *indices = guarded(count * 8);
  for (int64_t i = 0; i < count; i++) indices[i] = between(-axis, axis - 1);
  float *x = reals(outer * axis * inner), *y = empty(outer * count * inner);
  COMPARE(y, outer * count * inner, strata_take(4, outer, axis, inner, indices, count, x, y),
          "take %d of %d", (int)count, (int)axis);
  y = empty(count);
  COMPARE(y, count, strata_fill_f32(1.5f, y, count), "fill %d", (int)count);
  int64_t *whole = guarded(count * 8);
  for (int64_t i = 0; i < count; i++) whole[i] = (int64_t)next() >> below(64);
  y = empty(count);
  COMPARE(y, count, strata_cast_i64_f32(whole, y, count), "cast of %d longs", (int)count);
  x = reals(count);
  for (int64_t i = 0; i < count; i++)
    x[i] = below(8) ? x[i] * 1e15f : x[i] * 1e30f / (float)below(2);
  whole = guarded(count * 8);
  COMPARE((float *)whole, count * 2, strata_cast_f32_i64(x, whole, count), "cast of %d floats",
          (int)count);
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : (uint64_t)time(NULL);
  state = seed | 1;
  printf("float_test: seed %llu, up to instruction set %s\n", (unsigned long long)seed,
         strata_isa_name(strata_isa_probe()));
  for (int round = 0; round < 300; round++) {
    test_matmul();
    test_depthwise();
    test_pool();
    test_unary();
    test_binary();
    test_where();
    test_rows();
    test_copy();
    test_resize();
    test_moves();
  }
  printf("float_test: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}
