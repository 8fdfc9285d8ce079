// Multiply-adds per second of convolutions, epilogue included, one thread, CPU time, and the part
// of the processor's peak that is: of its 8-bit dot product, or for bit-planes of and + count +
// add.
//
//   conv_bench [channels out_channels size kernel stride]     default: 3x3 layers of ResNet-18
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

struct conv {
  struct strata_weights weights;
  struct strata_window window;
  struct strata_epilogue epilogue;
  int64_t submatrices, abits;
  void *x, *pad_codes, *scratch;
  float *x_scale;
};

struct shape {
  int64_t samples, channels, out_channels, size, kernel, stride, groups;
};

static struct conv conv(struct shape s) {
  int depthwise = s.groups == s.channels && s.groups > 1;
  struct conv c = {.submatrices = depthwise ? 1 : s.groups};
  int64_t out = (s.size + s.kernel / 2 * 2 - s.kernel) / s.stride + 1;
  c.window = (struct strata_window){
      .samples = s.samples,
      .height = s.size,
      .width = s.size,
      .channels = s.channels,
      .out_height = out,
      .out_width = out,
      .kernel_height = s.kernel,
      .kernel_width = s.kernel,
      .stride_height = s.stride,
      .stride_width = s.stride,
      .dilation_height = 1,
      .dilation_width = 1,
      .pad_top = s.kernel / 2,
      .pad_left = s.kernel / 2,
  };
  struct strata_weights *w = &c.weights;
  w->rows = depthwise ? s.channels : s.out_channels / s.groups;
  w->columns = (s.kernel * s.kernel * (s.channels / s.groups) + 31) / 32 * 32;
  w->group = w->columns;
  int64_t panels = (w->rows + 15) / 16;
  for (int p = 0; p < 8; p++) {
    w->planes[p] = bench_memory(panels * w->columns * 2);
  }
  w->groups = bench_memory(panels * 32);
  w->scale = bench_memory(panels * 64);
  w->offset = bench_memory(panels * 64);
  c.x = bench_memory(s.samples * s.size * s.size * s.channels);
  c.pad_codes = bench_memory(s.channels);
  c.x_scale = bench_memory(s.samples * 4);
  c.epilogue.activation = STRATA_RELU;
  c.epilogue.bias = bench_memory(panels * 64 * c.submatrices);
  c.epilogue.out_stride = s.out_channels;
  c.epilogue.out = bench_memory(s.samples * out * out * s.out_channels * 4);
  return c;
}

// One weight matrix stands for all groups.
static void run_conv(void *self) {
  struct conv *c = self;
  struct strata_weights w[64];
  for (int64_t i = 0; i < c->submatrices; i++) {
    w[i] = c->weights;
  }
  strata_conv(w, c->submatrices, &c->window, c->x, c->x_scale, 3, &c->epilogue, c->scratch);
}

static void run_planes(void *self) {
  struct conv *c = self;
  struct strata_weights w[64];
  for (int64_t i = 0; i < c->submatrices; i++) {
    w[i] = c->weights;
  }
  strata_conv_bitserial(w, c->submatrices, &c->window, c->abits, c->x, c->x_scale, 1, &c->epilogue,
                        c->scratch);
}

static void run_depthwise(void *self) {
  struct conv *c = self;
  strata_depthwise(&c->weights, &c->window, c->x, c->x_scale, c->pad_codes, &c->epilogue);
}

static void print(const char *name, struct shape s, double speed, double peak) {
  printf("%-9s %4lld -> %4lld @ %3lld k%lld s%lld g%-4lld n%lld %8.1f GMAC/s %.2f of peak\n", name,
         (long long)s.channels, (long long)s.out_channels, (long long)s.size, (long long)s.kernel,
         (long long)s.stride, (long long)s.groups, (long long)s.samples, speed * 1e-9,
         speed / peak);
}

static double work(const struct conv *c, struct shape s) {
  int64_t positions = s.samples * c->window.out_height * c->window.out_width;
  return (double)(positions * s.out_channels * s.kernel * s.kernel) *
         (double)(s.channels / s.groups);
}

// Twelve sums in registers, as a kernel has them.
#if defined(__x86_64__)
#define REPEAT12(line)                                                                      \
  line("0") line("1") line("2") line("3") line("4") line("5") line("6") line("7") line("8") \
      line("9") line("10") line("11")
#define DOT(i) "vpdpbusd %%zmm31, %%zmm30, %%zmm" i "\n"
#define PAIRS(i)                           \
  "vpmaddubsw %%ymm15, %%ymm14, %%ymm13\n" \
  "vpaddw %%ymm13, %%ymm" i ", %%ymm" i "\n"

static void dots(void *isa) {
  for (int i = 0; i < 10000; i++) {
    if (*(uint32_t *)isa >= STRATA_ISA_AVX512) {
      __asm__ volatile(REPEAT12(DOT)::);
    } else {
      __asm__ volatile(REPEAT12(PAIRS)::);
    }
  }
}

#define ONES(i)                        \
  "vpandd %%zmm31, %%zmm30, %%zmm29\n" \
  "vpopcntd %%zmm29, %%zmm28\n"        \
  "vpaddd %%zmm28, %%zmm" i ", %%zmm" i "\n"

static void ones(void *self) {
  (void)self;
  for (int i = 0; i < 10000; i++) {
    __asm__ volatile(REPEAT12(ONES)::);
  }
}

static double ones_peak(uint32_t isa) {
  return isa == STRATA_ISA_AVX512 ? 12e4 * 512 / bench_best(ones, NULL) : 1.0 / 0.0;
}

static double dot_peak(uint32_t isa) {
  return (isa == STRATA_ISA_AVX512 ? 12e4 * 64 : 12e4 * 32) / bench_best(dots, &isa);
}
#else
static double dot_peak(uint32_t isa) { return (isa + 1.0) / 0.0; }
static double ones_peak(uint32_t isa) { return (isa + 1.0) / 0.0; }
#endif

static void shape(struct shape s, double dots, double ones) {
  struct conv c = conv(s);
  char name[16];
  int depthwise = s.groups == s.channels && s.groups > 1;
  c.scratch = bench_memory(strata_conv_scratch(&c.weights, c.submatrices, &c.window));
  for (c.weights.bits = 8; c.weights.bits >= 1; c.weights.bits /= 2) {
    snprintf(name, sizeof name, "w%da8%s", (int)c.weights.bits, depthwise ? " dw" : "");
    print(name, s, work(&c, s) / bench_best(depthwise ? run_depthwise : run_conv, &c), dots);
  }
  if (depthwise || s.channels / s.groups % 32 != 0) {
    return;
  }
  for (c.weights.bits = 2; c.weights.bits >= 1; c.weights.bits--) {
    c.abits = c.weights.bits;
    c.scratch =
        bench_memory(strata_conv_bitserial_scratch(&c.weights, c.submatrices, &c.window, c.abits));
    snprintf(name, sizeof name, "w%da%d", (int)c.weights.bits, (int)c.abits);
    print(name, s, work(&c, s) / bench_best(run_planes, &c),
          ones / (double)(c.abits * c.weights.bits));
  }
}

int main(int count, char **arguments) {
  uint32_t isa;
  const char *name = bench_isa(&isa);
  double dots = dot_peak(isa), bits = ones_peak(isa);
  printf("instruction set %s, 8-bit dot products up to %.1f, bit products up to %.1f GMAC/s\n",
         name, dots * 1e-9, bits * 1e-9);
  if (count == 6) {
    int64_t v[5];
    for (int i = 0; i < 5; i++) v[i] = atoll(arguments[i + 1]);
    shape((struct shape){1, v[0], v[1], v[2], v[3], v[4], 1}, dots, bits);
    return 0;
  }
  static const struct shape shapes[] = {
      {1, 64, 64, 56, 3, 1, 1},     {1, 128, 128, 28, 3, 1, 1},   {1, 256, 256, 14, 3, 1, 1},
      {1, 512, 512, 7, 3, 1, 1},    {8, 512, 512, 7, 3, 1, 1},    {1, 64, 128, 56, 3, 2, 1},
      {1, 64, 128, 56, 1, 2, 1},    {1, 256, 64, 56, 1, 1, 1},    {1, 128, 128, 28, 3, 1, 4},
      {1, 32, 32, 28, 3, 1, 1},     {1, 36, 48, 28, 3, 1, 1},     {1, 3, 64, 112, 7, 2, 1},
      {1, 128, 128, 56, 3, 1, 128}, {1, 512, 512, 14, 3, 1, 512}, {1, 128, 128, 56, 3, 2, 128},
      {1, 128, 128, 28, 5, 1, 128}, {1, 96, 96, 28, 5, 2, 96},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    shape(shapes[i], dots, bits);
  }
  return 0;
}
