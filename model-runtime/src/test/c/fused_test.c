// Fused steps against the kernels they are made of, bit for bit, on every instruction set.
// Buffers end at an unreadable page; planes that a width does not read are null pointers.
//
//   fused_test [seed]
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "strata.h"

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

static struct {
  void *at;
  size_t bytes;
} maps[64];
static int map_count;

static void *guarded(int64_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t used = ((size_t)bytes + page - 1) / page * page;
  uint8_t *map =
      mmap(NULL, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || map_count == 64 || mprotect(map + used, page, PROT_NONE) != 0) {
    perror("fused_test: guarded memory");
    exit(2);
  }
  maps[map_count].at = map;
  maps[map_count++].bytes = used + page;
  return map + used - (size_t)bytes;
}

static void release_all(void) {
  while (map_count > 0) {
    map_count--;
    munmap(maps[map_count].at, maps[map_count].bytes);
  }
}

static void *scratch(int64_t bytes) { return guarded((bytes + 63) / 64 * 64); }

static void *bytes(int64_t count) {
  uint8_t *at = guarded(count);
  for (int64_t i = 0; i < count; i++) at[i] = (uint8_t)next();
  return at;
}

static float *reals(int64_t count) {
  float *at = guarded(count * 4);
  for (int64_t i = 0; i < count; i++) at[i] = (float)between(-1000, 1000) / 500;
  return at;
}

static void expect(const void *a, const void *b, int64_t bytes, uint32_t isa, const char *what) {
  if (bytes == 0 || memcmp(a, b, (size_t)bytes) == 0) {
    passed++;
  } else {
    failed++;
    printf("instruction set %u: fused differs: %s\n", isa, what);
  }
}

// ---- codes of the next product ------------------------------------------------------------------

static struct strata_requantize requantize(int64_t rows, int64_t width) {
  struct strata_requantize r = {.group = 32 * between(1, 4)};
  r.columns = (width + r.group - 1) / r.group * r.group;
  r.balance = below(2) ? reals(width) : 0;
  r.inverse_scale = 20.5f;
  r.zero_point = between(-3, 3);
  r.low = -128, r.high = 127;
  r.codes = bytes(rows * r.columns);
  r.sums = bytes(rows * (r.columns / r.group) * 4);
  r.scale = below(3) ? bytes(rows * (r.columns / r.group) * 4) : 0;
  return r;
}

static void expect_codes(const float *x, int64_t stride, int64_t rows, int64_t width,
                         const struct strata_requantize *r, uint32_t isa, const char *what) {
  int64_t groups = r->columns / r->group;
  float *z = guarded(width * 4), *scale = guarded(groups * 4);
  int8_t *codes = guarded(r->columns);
  int32_t *sums = guarded(groups * 4);
  for (int64_t m = 0; m < rows; m++) {
    for (int64_t i = 0; i < width; i++) {
      z[i] = r->balance ? x[m * stride + i] * r->balance[i] : x[m * stride + i];
    }
    if (r->scale) {
      strata_quantize_rows(z, width, 1, width, r->columns, r->group, codes, sums, scale);
      expect(r->scale + m * groups, scale, groups * 4, isa, what);
    } else {
      strata_quantize_static(z, width, 1, width, r->columns, r->group, (float)r->inverse_scale,
                             r->zero_point, r->low, r->high, codes, sums);
    }
    expect(r->codes + m * r->columns, codes, r->columns, isa, what);
    expect(r->sums + m * groups, sums, groups * 4, isa, what);
  }
}

static void test_linear(uint32_t isa) {
  static const int64_t functions[] = {STRATA_IDENTITY, STRATA_RELU, STRATA_GELU};
  int64_t path = below(3), abits = between(1, 4), bits = between(1, 8);
  int64_t group = 32 * between(1, 3), columns = group * between(1, 4);
  int64_t rows = between(1, 200), count = path == STRATA_STREAM ? between(1, 8) : between(1, 40);
  int64_t panels = (rows + 15) / 16, groups = columns / group;
  struct strata_weights w = {.bits = bits, .rows = rows, .columns = columns, .group = group};
  for (int64_t p = 0; p < bits; p++) w.planes[p] = bytes(panels * columns * 2);
  w.groups = bytes(panels * groups * 32);
  w.scale = reals(panels * 16);
  w.offset = reals(panels * 16);
  int64_t code_bytes = path == STRATA_BITSERIAL ? abits * columns / 8 : columns;
  int32_t *sums = guarded(count * groups * 4);
  for (int64_t i = 0; i < count * groups; i++) sums[i] = (int32_t)below(900);
  struct strata_rows x = {bytes(count * code_bytes), sums, reals(count * groups), count};
  int64_t stride = rows + below(3);
  struct strata_epilogue e = {.bias = reals(panels * 16),
                              .residual = below(2) ? reals(count * stride) : 0,
                              .residual_stride = stride,
                              .activation = functions[below(3)],
                              .out = guarded(((count - 1) * stride + rows) * 4),
                              .out_stride = stride};
  struct strata_requantize r = requantize(count, rows);
  char what[120];
  snprintf(what, sizeof what, "linear path %d, %d bits, %d x %d, %d rows, group %d to %d",
           (int)path, (int)bits, (int)rows, (int)columns, (int)count, (int)group, (int)r.group);
  void *room = scratch(strata_bitserial_scratch(&w));  // the largest
  switch (path) {
    case STRATA_STREAM: strata_stream(&w, &x, &e); break;
    case STRATA_BLOCK: strata_block(&w, &x, &e, room); break;
    default: strata_bitserial(&w, &x, abits, &e, room); break;
  }
  struct strata_epilogue fused = e;
  fused.out = below(2) ? guarded(((count - 1) * stride + rows) * 4) : 0;
  strata_linear(&w, &x, &fused, path, abits, &r,
                scratch(strata_linear_scratch(&w, count, r.group)));
  for (int64_t m = 0; fused.out && m < count; m++) {
    expect(fused.out + m * stride, e.out + m * stride, rows * 4, isa, what);
  }
  expect_codes(e.out, stride, count, rows, &r, isa, what);
  release_all();
}

static void test_rows(uint32_t isa) {
  int64_t rows = between(1, 5), width = between(1, 300), stride = width + below(3);
  struct strata_requantize r = requantize(rows, width);
  float *x = reals((rows - 1) * stride + width);
  strata_requantize_rows(x, stride, rows, width, &r, scratch(width * 4));
  expect_codes(x, stride, rows, width, &r, isa, "requantize");
  release_all();
  r = requantize(rows, width);
  x = reals(rows * width);
  float *scale = reals(width), *bias = reals(width), *y = guarded(rows * width * 4);
  float *kept = below(2) ? guarded(rows * width * 4) : 0;
  strata_layer_norm_f32(x, scale, bias, 1e-5f, y, rows, width);
  strata_layer_norm_codes(x, scale, bias, 1e-5f, kept, rows, width, &r, scratch(2 * width * 4));
  if (kept) expect(kept, y, rows * width * 4, isa, "layer norm");
  expect_codes(y, width, rows, width, &r, isa, "layer norm codes");
  release_all();
}

// ---- attention ----------------------------------------------------------------------------------

// Strides of [batch][rows][heads][depth], as a projection leaves them.
static void strides_of(int64_t rows, int64_t heads, int64_t depth, int64_t *strides) {
  strides[0] = rows * heads * depth;
  strides[1] = depth;
  strides[2] = heads * depth;
}

static void test_attention(uint32_t isa) {
  struct strata_attention t = {.batch = between(1, 2),
                               .heads = between(1, 3),
                               .queries = between(1, 40),
                               .keys = between(1, 70),
                               .depth = between(1, 40),
                               .value_depth = below(2) ? 32 : between(1, 70),
                               .divides = below(2),
                               .scale = 5.5f};
  int64_t *mask_strides = t.mask_strides;
  t.q = reals(t.batch * t.queries * t.heads * t.depth);
  t.k = reals(t.batch * t.keys * t.heads * t.depth);
  t.v = reals(t.batch * t.keys * t.heads * t.value_depth);
  t.out = guarded(t.batch * t.queries * t.heads * t.value_depth * 4);
  strides_of(t.queries, t.heads, t.depth, t.q_strides);
  strides_of(t.keys, t.heads, t.depth, t.k_strides);
  strides_of(t.keys, t.heads, t.value_depth, t.v_strides);
  strides_of(t.queries, t.heads, t.value_depth, t.out_strides);
  if (below(3)) {
    int64_t per_query = below(2), per_key = below(4) != 0;
    mask_strides[3] = per_key;
    mask_strides[2] = per_query * t.keys;
    mask_strides[0] = per_query ? t.queries * t.keys : t.keys;
    t.mask = reals(t.batch * t.queries * t.keys);
  }
  strata_attention_f32(&t, scratch(strata_attention_scratch(t.keys, t.depth)));
  float *scores = guarded(t.queries * t.keys * 4);
  float *out = guarded(t.queries * t.value_depth * 4);
  void *room = scratch(strata_matmul_scratch(t.keys, t.depth > t.keys ? t.depth : t.keys));
  for (int64_t b = 0; b < t.batch; b++) {
    for (int64_t h = 0; h < t.heads; h++) {
      struct strata_epilogue e = {.out = scores, .out_stride = t.keys};
      strata_matmul_f32(1, t.queries, t.keys, t.depth,
                        t.q + b * t.q_strides[0] + h * t.q_strides[1], t.q_strides[2], 0,
                        t.k + b * t.k_strides[0] + h * t.k_strides[1], t.k_strides[2], 0, 1, &e, 0,
                        room);
      for (int64_t i = 0; i < t.queries; i++) {
        for (int64_t j = 0; j < t.keys; j++) {
          float *s = scores + i * t.keys + j;
          *s = t.divides ? *s / (float)t.scale : *s * (float)t.scale;
          if (t.mask) *s += t.mask[b * mask_strides[0] + i * mask_strides[2] + j * mask_strides[3]];
        }
      }
      strata_softmax_f32(scores, scores, t.queries, t.keys);
      e = (struct strata_epilogue){.out = out, .out_stride = t.value_depth};
      strata_matmul_f32(1, t.queries, t.value_depth, t.keys, scores, t.keys, 0,
                        t.v + b * t.v_strides[0] + h * t.v_strides[1], t.v_strides[2], 0, 0, &e, 0,
                        room);
      for (int64_t i = 0; i < t.queries; i++) {
        expect(t.out + b * t.out_strides[0] + h * t.out_strides[1] + i * t.out_strides[2],
               out + i * t.value_depth, t.value_depth * 4, isa, "attention");
      }
    }
  }
  release_all();
}

int main(int count, char **arguments) {
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : (uint64_t)time(NULL);
  for (uint32_t isa = STRATA_ISA_SCALAR; isa <= strata_isa_probe(); isa++) {
    strata_isa_select(isa);
    state = seed * 2 + 1;
    for (int round = 0; round < 120; round++) {
      test_linear(isa);
      test_rows(isa);
      test_attention(isa);
    }
  }
  printf("fused_test: %d passed, %d failed, seed %llu\n", passed, failed, (unsigned long long)seed);
  return failed != 0;
}
