// Products of bytes summed in 16 bits, for files built with AVX2.
//
// vpmaddubsw adds two products of an unsigned and a signed byte into 16 bits, and another multiply
// is needed to widen such a sum. Codes are therefore kept small (moved to the right, those of eight
// bits cut into nibbles), so that several sums fit into 16 bits and are widened together.
#ifndef STRATA_BRIEF_AVX2_H
#define STRATA_BRIEF_AVX2_H

#include "unpack_avx2.h"
#include "weights.h"

enum { STRATA_BLOCK_STEPS = STRATA_BLOCK_COLUMNS / 4 };

// Operands for each four columns: the codes, or their upper and lower nibbles.
STRATA_INLINE int strata_operands(int64_t bits) { return bits > 7 ? 2 : 1; }

// Steps of four columns whose sums fit into 16 bits, each at most 2 * 128 times the largest code:
// a divisor or a multiple of the steps of a block.
STRATA_INLINE int strata_brief_steps(int64_t bits) {
  int most = 32767 / (2 * 128 * ((1 << (bits > 7 ? 4 : bits)) - 1));
  return most > STRATA_BLOCK_STEPS ? most / STRATA_BLOCK_STEPS * STRATA_BLOCK_STEPS : most;
}

// What an operand adds to twice the code, in units of the operand.
STRATA_INLINE int16_t strata_operand_worth(int64_t bits, int operand) {
  return (int16_t)(bits <= 7 ? 1 << (9 - bits) : operand == 0 ? 32 : 2);
}

// Adds four products for each of 8 rows. The compiler may not regroup these sums: it would keep
// dozens of products and find no registers for them.
STRATA_INLINE __m256i strata_add_products(__m256i brief, __m256i codes, __m256i four) {
  __m256i products = _mm256_maddubs_epi16(codes, four);
  __asm__("vpaddw %1, %0, %0" : "+x"(brief) : "x"(products));
  return brief;
}

// fields[k] and every shift by a multiple of `size` hold the columns 4 * (k + shift) and the next
// three in `size` bits each.
STRATA_INLINE void strata_fields_apart(const __m256i *fields, int size, __m256i operands[8]) {
  const __m256i mask = _mm256_set1_epi8((char)((1 << size) - 1));
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    __m256i field = fields[i % size];
    __m256i moved = i < size ? field : _mm256_srli_epi16(field, i / size * size);
    operands[i] = _mm256_and_si256(moved, mask);
  }
}

// codes[i] holds operand `operand` (0: upper nibbles) of columns 4i..4i+3 of the 8 rows whose words
// begin at byte `line` of each plane. `bits` and `operand` are constants.
STRATA_INLINE void strata_unpack_operand(const uint8_t *const *planes, int64_t line, int bits,
                                         int operand, __m256i codes[8]) {
  __m256i upper[4], lower[4];
  if (bits == 1) {
    upper[0] = _mm256_loadu_si256((const __m256i *)(planes[0] + line));
    strata_fields_apart(upper, 1, codes);
  } else if (bits == 2) {
    upper[0] = _mm256_loadu_si256((const __m256i *)(planes[0] + line));
    lower[0] = _mm256_loadu_si256((const __m256i *)(planes[1] + line));
    strata_merge(upper[0], lower[0], 1, 0xaa, &upper[0], &upper[1]);
    strata_fields_apart(upper, 2, codes);
  } else if (bits <= 4) {
    strata_nibbles(planes, line, 4 - bits, bits, upper);
    strata_fields_apart(upper, 4, codes);
  } else if (bits <= 7) {
    strata_nibbles(planes, line, 8 - bits, bits - 4, upper);
    strata_nibbles(planes + bits - 4, line, 0, 4, lower);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      strata_merge(upper[i], lower[i], 4, 0xf0, &codes[i], &codes[i + 4]);
    }
  } else {
    strata_nibbles(planes + 4 * operand, line, 0, 4, upper);
    strata_fields_apart(upper, 4, codes);
  }
}

#endif
