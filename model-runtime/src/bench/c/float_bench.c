// Speed of the float operators on each instruction set, one thread, CPU time, best of some runs.
//
//   float_bench
//
// Numbers are for looking at, not for comparing machines.
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "isa.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float *reals(int64_t count) {
  float *at = aligned_alloc(64, (size_t)(count * 4 + 63) / 64 * 64);
  if (!at) {
    fprintf(stderr, "float_bench: no memory for %lld floats\n", (long long)count);
    exit(1);
  }
  for (int64_t i = 0; i < count; i++) at[i] = (float)(i * 7919 % 1009) / 504 - 1;
  return at;
}

// Seconds of one `call`: the best of nine runs of some calls each.
#define BEST(result, calls, call)                           \
  do {                                                      \
    result = 1e9;                                           \
    for (int run = 0; run < 9; run++) {                     \
      double start = seconds();                             \
      for (int64_t i = 0; i < (calls); i++) call;           \
      double spent = (seconds() - start) / (double)(calls); \
      if (spent < result) result = spent;                   \
    }                                                       \
  } while (0)

static void product(int64_t batch, int64_t m, int64_t n, int64_t k, int64_t turned) {
  float *a = reals(batch * m * k), *b = reals(batch * n * k), *c = reals(batch * m * n);
  float *scratch = reals(strata_matmul_scratch(n, k) / 4);
  struct strata_epilogue e = {.out = c, .out_stride = n};
  double best;
  BEST(best, 1 + 20000000 / (batch * m * n * k),
       strata_matmul_f32(batch, m, n, k, a, k, m * k, b, turned ? k : n, n * k, turned, &e, m * n,
                         scratch));
  printf("  product %2lld x %4lldx%4lldx%4lld %s %6.1f GFLOP/s\n", (long long)batch, (long long)m,
         (long long)n, (long long)k, turned ? "B^T" : "B  ",
         2e-9 * (double)(batch * m * n * k) / best);
  free(a), free(b), free(c), free(scratch);
}

static void rate(const char *name, int64_t values, double best) {
  printf("  %-28s %6.2f values/ns\n", name, 1e-9 * (double)values / best);
}

static void operators(void) {
  enum { ROWS = 1024, WIDTH = 128, COUNT = ROWS * WIDTH };
  float *x = reals(COUNT), *y = reals(COUNT), *z = reals(COUNT);
  const struct {
    const char *name;
    int64_t function;
  } functions[] = {{"relu", STRATA_RELU}, {"sigmoid", STRATA_SIGMOID}, {"tanh", STRATA_TANH},
                   {"gelu", STRATA_GELU}, {"exp", STRATA_EXP},         {"log", STRATA_LOG}};
  double best;
  for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
    BEST(best, 4, strata_unary_f32(functions[f].function, 0, 0, x, y, COUNT));
    rate(functions[f].name, COUNT, best);
  }
  BEST(best, 4, strata_softmax_f32(x, y, ROWS, WIDTH));
  rate("softmax, rows of 128", COUNT, best);
  BEST(best, 4, strata_layer_norm_f32(x, z, z, 1e-5f, y, ROWS, WIDTH));
  rate("layer norm, rows of 128", COUNT, best);
  int64_t dims[] = {8, 16, 32, 32}, from[] = {16384, 32, 512, 1}, to[] = {16384, 1024, 32, 1};
  BEST(best, 4, strata_copy(4, 4, dims, from, to, x, y));
  rate("transpose 0213, runs of 32", COUNT, best);
  int64_t across[] = {64, 2048}, wide[] = {1, 64}, deep[] = {2048, 1};
  BEST(best, 4, strata_copy(4, 2, across, wide, deep, x, y));
  rate("transpose NHWC to NCHW", COUNT, best);
  struct strata_window s = {1, 32, 32, 128, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1};
  struct strata_epilogue e = {.bias = z, .activation = STRATA_RELU, .out = y, .out_stride = 128};
  BEST(best, 4, strata_depthwise_f32(&s, x, z, &e));
  rate("depthwise 3x3, 128 channels", COUNT, best);
  BEST(best, 4, strata_pool_f32(STRATA_POOL_MAX, &s, 1, 1, 0, x, y));
  rate("max pool 3x3, 128 channels", COUNT, best);
  free(x), free(y), free(z);
}

int main(void) {
  for (uint32_t isa = strata_isa_probe(); isa > STRATA_ISA_SCALAR; isa--) {
    if (strata_isa_select(isa) != isa) {
      continue;  // a number of another architecture
    }
    printf("instruction set %s\n", strata_isa_name(isa));
    for (int64_t turned = 0; turned < 2; turned++) {
      product(1, 128, 128, 128, turned);
      product(1, 512, 512, 512, turned);
      product(1, 1024, 1024, 1024, turned);
      product(1, 1, 768, 768, turned);
      product(12, 32, 32, 32, turned);
      product(12, 128, 128, 32, turned);
      product(12, 128, 32, 128, turned);
    }
    operators();
  }
}
