#define _GNU_SOURCE  // syscall

#include "isa.h"

#include "adder/adder.h"
#include "bitserial/bitserial.h"
#include "block/block.h"
#include "codebook/codebook.h"
#include "conv/conv.h"
#include "depthwise/depthwise.h"
#include "gather/gather.h"
#include "limits/limits.h"
#include "quantize/quantize.h"
#include "stream/stream.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// Bits of XCR0: the operating system saves the registers named here when it switches threads.
enum { XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6, XCR0_AMX = 0x60000 };

static uint64_t saved_registers(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int has(uint32_t reported, uint32_t wanted) { return (reported & wanted) == wanted; }

// Linux saves tiles only of processes that ask for it (asm/prctl.h). Asking twice is allowed.
static int may_use_tiles(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

uint32_t strata_isa_probe(void) {
  uint32_t eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) ||
      !has(ecx, bit_OSXSAVE | bit_AVX | bit_FMA | bit_POPCNT)) {
    return STRATA_ISA_SCALAR;
  }
  uint64_t saved = saved_registers();
  if ((saved & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ||
      !has(ebx, bit_AVX2)) {
    return STRATA_ISA_SCALAR;
  }
  if ((saved & XCR0_AVX512) != XCR0_AVX512 ||
      !has(ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL)) {
    return STRATA_ISA_AVX2;
  }
  uint32_t extended = bit_AVX512VNNI | bit_AVX512VBMI | bit_AVX512VBMI2 | bit_GFNI |
                      bit_AVX512BITALG | bit_AVX512VPOPCNTDQ;
  if (!has(ecx, extended)) {
    return STRATA_ISA_AVX512BW;
  }
  int tiles = has(edx, bit_AMX_TILE | bit_AMX_INT8) && (saved & XCR0_AMX) == XCR0_AMX;
  return tiles && may_use_tiles() ? STRATA_ISA_AMX : STRATA_ISA_AVX512;
}

static int included(uint32_t isa, uint32_t best) { return isa <= best; }

#elif defined(__aarch64__)
#include <sys/auxv.h>

// Linux reports what both the processor and the kernel support (asm/hwcap.h).
enum { HWCAP_NEON = 1 << 1, HWCAP_DOT_PRODUCT = 1 << 20 };

uint32_t strata_isa_probe(void) {
  unsigned long wanted = HWCAP_NEON | HWCAP_DOT_PRODUCT;
  return (getauxval(AT_HWCAP) & wanted) == wanted ? STRATA_ISA_NEON : STRATA_ISA_SCALAR;
}

static int included(uint32_t isa, uint32_t best) { return isa == STRATA_ISA_SCALAR || isa == best; }

#else
uint32_t strata_isa_probe(void) { return STRATA_ISA_SCALAR; }

static int included(uint32_t isa, uint32_t best) { return isa == best; }
#endif

uint32_t strata_abi(void) { return STRATA_ABI; }

const char *strata_isa_name(uint32_t isa) {
  switch (isa) {
    case STRATA_ISA_AVX2: return "avx2";
    case STRATA_ISA_AVX512BW: return "avx512bw";
    case STRATA_ISA_AVX512: return "avx512";
    case STRATA_ISA_AMX: return "amx";
    case STRATA_ISA_NEON: return "neon";
    default: return "scalar";
  }
}

uint32_t strata_isa_select(uint32_t isa) {
  uint32_t best = strata_isa_probe();
  uint32_t chosen = included(isa, best) ? isa : best;
  strata_adder_select(chosen);
  strata_stream_select(chosen);
  strata_block_select(chosen);
  strata_bitserial_select(chosen);
  strata_codebook_select(chosen);
  strata_gather_select(chosen);
  strata_conv_select(chosen);
  strata_depthwise_select(chosen);
  strata_quantize_select(chosen);
  strata_float_select(chosen);
  strata_limits_select(chosen);
  return chosen;
}
