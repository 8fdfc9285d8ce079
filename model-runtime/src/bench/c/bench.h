// What the benchmarks of the kernels share: memory, thread CPU time, the instruction set.
#ifndef STRATA_BENCH_H
#define STRATA_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isa.h"

static inline double bench_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline void *bench_memory(int64_t bytes) {
  void *at = aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64);
  if (!at) {
    fprintf(stderr, "benchmark: no memory for %lld bytes\n", (long long)bytes);
    exit(1);
  }
  memset(at, 0x35, (size_t)bytes);
  return at;
}

// The best of five rounds of about 4 ms each.
static inline double bench_best(void (*run)(void *), void *self) {
  run(self);
  double best = 1e9;
  for (int round = 0; round < 5; round++) {
    double start = bench_seconds();
    double spent = 0;
    int64_t calls = 0;
    while (spent < 4e-3) {
      run(self);
      calls++;
      spent = bench_seconds() - start;
    }
    best = spent / (double)calls < best ? spent / (double)calls : best;
  }
  return best;
}

// The best instruction set, or the lower one that STRATA_ISA names; its name.
static inline const char *bench_isa(uint32_t *isa) {
  const char *wish = getenv("STRATA_ISA");
  *isa = strata_isa_probe();
  for (uint32_t level = STRATA_ISA_SCALAR; wish && level <= STRATA_ISA_AMX; level++) {
    *isa = strcmp(wish, strata_isa_name(level)) == 0 ? level : *isa;
  }
  *isa = strata_isa_select(*isa);
  return strata_isa_name(*isa);
}

#endif
