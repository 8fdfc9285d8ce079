// Multiply-adds per second of each path and width, epilogue included, one thread, CPU time.
//
//   kernel_bench [rows columns group]      default: the layers of a small sentence encoder
//
// Numbers are for looking at, not for comparing machines: weights stay in cache between calls.
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isa.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *memory(int64_t bytes) {
  void *at = aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64);
  if (!at) {
    fprintf(stderr, "kernel_bench: no memory for %lld bytes\n", (long long)bytes);
    exit(1);
  }
  memset(at, 0x35, (size_t)bytes);
  return at;
}

enum path { STREAM, BLOCK, BITSERIAL, CODEBOOK, ADDER };

// Signed powers of two, as shift networks have them.
static const int8_t powers[256] = {0, 1, 2, 4, 0, -1, -2, -4};

struct layer {
  struct strata_weights weights;
  struct strata_rows rows;
  struct strata_epilogue epilogue;
  void *scratch;
};

static struct layer layer(int64_t rows, int64_t columns, int64_t group, int64_t count) {
  struct layer l = {0};
  int64_t panels = (rows + 15) / 16;
  for (int p = 0; p < 8; p++) {
    l.weights.planes[p] = memory(panels * columns * 2);
  }
  l.weights.bits = 8;
  l.weights.rows = rows;
  l.weights.columns = columns;
  l.weights.group = group;
  l.weights.groups = memory(panels * (columns / group) * 32);
  l.weights.scale = memory(panels * 64);
  l.weights.offset = memory(panels * 64);
  l.rows.codes = memory(count * columns);
  l.rows.sums = memory(count * (columns / group) * 4);
  l.rows.scale = memory(count * (columns / group) * 4);
  l.rows.count = count;
  l.epilogue.bias = memory(panels * 64);
  l.epilogue.out = memory(count * rows * 4);
  l.epilogue.out_stride = rows;
  l.scratch = memory(strata_bitserial_scratch(&l.weights));
  return l;
}

static void release(struct layer *l) {
  for (int p = 0; p < 8; p++) {
    free((void *)l->weights.planes[p]);
  }
  free((void *)l->weights.groups);
  free((void *)l->weights.scale);
  free((void *)l->weights.offset);
  free((void *)l->rows.codes);
  free((void *)l->rows.sums);
  free((void *)l->rows.scale);
  free((void *)l->epilogue.bias);
  free(l->epilogue.out);
  free(l->scratch);
}

static void run(const struct layer *l, enum path path) {
  switch (path) {
    case STREAM: strata_stream(&l->weights, &l->rows, &l->epilogue); break;
    case BLOCK: strata_block(&l->weights, &l->rows, &l->epilogue, l->scratch); break;
    case BITSERIAL: strata_bitserial(&l->weights, &l->rows, 1, &l->epilogue, l->scratch); break;
    case CODEBOOK: strata_codebook(&l->weights, powers, &l->rows, &l->epilogue, l->scratch); break;
    case ADDER:
      strata_adder(&l->weights, l->weights.columns, &l->rows, &l->epilogue, l->scratch);
      break;
  }
}

// The best of five rounds of about 4 ms each.
static double best_seconds(const struct layer *l, enum path path) {
  run(l, path);
  double best = 1e9;
  for (int round = 0; round < 5; round++) {
    double start = seconds();
    double spent = 0;
    int64_t calls = 0;
    while (spent < 4e-3) {
      run(l, path);
      calls++;
      spent = seconds() - start;
    }
    best = spent / (double)calls < best ? spent / (double)calls : best;
  }
  return best;
}

static void print(enum path path, const char *name, int64_t rows, int64_t columns, int64_t group,
                  int64_t count) {
  struct layer l = layer(rows, columns, group, count);
  printf("%-10s %5lld x %5lld x %5lld group %5lld GMAC/s at b=1..8:", name, (long long)count,
         (long long)rows, (long long)columns, (long long)group);
  for (l.weights.bits = 1; l.weights.bits <= 8; l.weights.bits++) {
    printf(" %6.1f", (double)(rows * columns * count) / best_seconds(&l, path) * 1e-9);
  }
  printf("\n");
  release(&l);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Speed of the other families relative to the 8-bit blocked product: medians of rounds in which
// they take turns.
static void relative(int64_t rows, int64_t columns, int64_t group, int64_t count) {
  enum { ROUNDS = 31, KINDS = 5 };
  static const struct {
    enum path path;
    int64_t bits;
  } kinds[KINDS] = {{BLOCK, 8}, {CODEBOOK, 3}, {CODEBOOK, 4}, {CODEBOOK, 8}, {ADDER, 8}};
  struct layer l = layer(rows, columns, group, count);
  double spent[KINDS][ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    for (int kind = 0; kind < KINDS; kind++) {
      l.weights.bits = kinds[kind].bits;
      run(&l, kinds[kind].path);
      double start = seconds();
      run(&l, kinds[kind].path);
      spent[kind][round] = seconds() - start;
    }
  }
  for (int kind = 0; kind < KINDS; kind++) {
    qsort(spent[kind], ROUNDS, sizeof(double), ascending);
  }
  double block = spent[0][ROUNDS / 2];
  printf("%5lld x %5lld x %5lld group %5lld: block b=8 1.00", (long long)count, (long long)rows,
         (long long)columns, (long long)group);
  for (int kind = 1; kind < KINDS; kind++) {
    printf(", %s b=%lld %.2f", kinds[kind].path == ADDER ? "adder" : "codebook",
           (long long)kinds[kind].bits, block / spent[kind][ROUNDS / 2]);
  }
  printf("\n");
  release(&l);
}

static void shape(int64_t rows, int64_t columns, int64_t group) {
  print(STREAM, "stream", rows, columns, group, 1);
  print(STREAM, "stream", rows, columns, group, 4);
  print(STREAM, "stream", rows, columns, group, 8);
  print(BLOCK, "block", rows, columns, group, 9);
  print(BLOCK, "block", rows, columns, group, 16);
  print(BLOCK, "block", rows, columns, group, 128);
  print(BITSERIAL, "bitserial", rows, columns, group, 1);
  print(BITSERIAL, "bitserial", rows, columns, group, 64);
  print(CODEBOOK, "codebook", rows, columns, group, 1);
  print(CODEBOOK, "codebook", rows, columns, group, 128);
  print(ADDER, "adder", rows, columns, group, 1);
  print(ADDER, "adder", rows, columns, group, 128);
  relative(rows, columns, group, 1);
  relative(rows, columns, group, 128);
}

int main(int count, char **arguments) {
  const char *wish = getenv("STRATA_ISA");
  uint32_t isa = strata_isa_probe();
  for (uint32_t i = 0; wish && i < isa; i++) {
    isa = strata_isa_select(i) == i && strcmp(wish, strata_isa_name(i)) == 0 ? i : isa;
  }
  printf("instruction set: %s; bitserial with 1-bit activations\n",
         strata_isa_name(strata_isa_select(isa)));
  if (count == 4) {
    shape(atoll(arguments[1]), atoll(arguments[2]), atoll(arguments[3]));
    return 0;
  }
  shape(384, 384, 64);
  shape(1536, 384, 64);
  shape(384, 1536, 64);
  return 0;
}
