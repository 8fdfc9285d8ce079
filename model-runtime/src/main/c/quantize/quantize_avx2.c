#include <string.h>

#include "quantize/quantize.h"
#include "unpack_avx2.h"

// max_ps(a, b) is a > b ? a : b, as in the scalar row also where a is NaN.
static inline __m256 larger(__m256 most, __m256 x) {
  return _mm256_max_ps(_mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff))), most);
}

static inline float largest(const float *x, int64_t count) {
  __m256 most[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    most[0] = larger(most[0], _mm256_loadu_ps(x + i));
    most[1] = larger(most[1], _mm256_loadu_ps(x + i + 8));
  }
  for (; i < count; i += 8) {
    most[0] = larger(most[0], strata_load8(x + i, count - i));
  }
  __m256 lanes = _mm256_max_ps(most[0], most[1]);
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// 32 numbers of -128 to 127 as bytes: packing works within 128 bits, so quads change places behind.
static inline __m256i bytes(const __m256i numbers[4]) {
  __m256i low = _mm256_packs_epi32(numbers[0], numbers[1]);
  __m256i high = _mm256_packs_epi32(numbers[2], numbers[3]);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// The bounds of a code around its zero point, and the zero point.
struct bounds {
  __m256 low, high;
  __m256i zero;
};

static inline __m256i code(__m256 x, __m256 inverse, const struct bounds *b) {
  __m256 scaled = _mm256_mul_ps(x, inverse);
  scaled = _mm256_max_ps(_mm256_min_ps(scaled, b->high), b->low);
  return _mm256_add_epi32(_mm256_cvtps_epi32(scaled), b->zero);
}

// Stores `count` codes of 8.
static inline void store_first(int8_t *out, __m256i numbers, int64_t count) {
  __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  int64_t all = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
  memcpy(out, &all, count < 8 ? (size_t)count : 8);
}

static inline void codes(const float *x, int64_t count, const struct strata_quantizer *q,
                         int8_t *out) {
  const struct bounds b = {_mm256_set1_ps((float)(q->low - q->zero_point)),
                           _mm256_set1_ps((float)(q->high - q->zero_point)),
                           _mm256_set1_epi32(q->zero_point)};
  const __m256 inverse = _mm256_set1_ps(q->inverse_scale);
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i numbers[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
      numbers[k] = code(_mm256_loadu_ps(x + i + 8 * k), inverse, &b);
    }
    _mm256_storeu_si256((__m256i *)(out + i), bytes(numbers));
  }
  for (; i + 8 <= count; i += 8) {
    store_first(out + i, code(_mm256_loadu_ps(x + i), inverse, &b), 8);
  }
  if (i < count) {
    store_first(out + i, code(strata_load8(x + i, count - i), inverse, &b), count - i);
  }
}

// The bounds of 8 channels.
static inline struct bounds around(int64_t zero_points) {
  __m256i zero = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(zero_points));
  __m256 shift = _mm256_cvtepi32_ps(zero);
  return (struct bounds){_mm256_sub_ps(_mm256_set1_ps(INT8_MIN), shift),
                         _mm256_sub_ps(_mm256_set1_ps(INT8_MAX), shift), zero};
}

static void channels(const float *x, int64_t count, const float *inverse_scale,
                     const int8_t *zero_point, int8_t *out) {
  int64_t i = 0, zeros;
  for (; i + 8 <= count; i += 8) {
    memcpy(&zeros, zero_point + i, sizeof zeros);
    struct bounds b = around(zeros);
    store_first(out + i, code(_mm256_loadu_ps(x + i), _mm256_loadu_ps(inverse_scale + i), &b), 8);
  }
  if (i < count) {
    zeros = 0;
    memcpy(&zeros, zero_point + i, (size_t)(count - i));
    struct bounds b = around(zeros);
    __m256 inverse = strata_load8(inverse_scale + i, count - i);
    store_first(out + i, code(strata_load8(x + i, count - i), inverse, &b), count - i);
  }
}

// Codes plus 128 are unsigned bytes, which sad adds up, 8 at a time.
static inline __m256i eights(const int8_t *codes) {
  __m256i shifted =
      _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)codes), _mm256_set1_epi8((char)0x80));
  return _mm256_sad_epu8(shifted, _mm256_setzero_si256());
}

static inline int32_t sum(const int8_t *codes, int64_t count) {
  __m256i total = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    total = _mm256_add_epi64(total, eights(codes + i));
  }
  __m128i both = _mm_add_epi64(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
  if (i < count) {  // 16 more
    __m128i shifted =
        _mm_xor_si128(_mm_loadu_si128((const __m128i *)(codes + i)), _mm_set1_epi8((char)0x80));
    both = _mm_add_epi64(both, _mm_sad_epu8(shifted, _mm_setzero_si128()));
  }
  return (int32_t)(_mm_cvtsi128_si64(both) + _mm_extract_epi64(both, 1) - 128 * count);
}

static inline void sums(const int8_t *codes, int64_t count, int64_t size, int32_t *sums) {
  for (int64_t i = 0; i < count; i++) {
    sums[i] = sum(codes + i * size, size);
  }
}

// Bytes are brought into the order of a word's bits, then bit t of all 32 is the word of plane t.
static void planes(const int8_t *codes, int64_t blocks, int64_t abits, uint32_t *planes) {
  const __m256i by_byte = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m256i halves = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (int64_t k = 0; k < blocks; k++) {
    __m256i block = _mm256_loadu_si256((const __m256i *)(codes + k * 32));
    __m256i ordered = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(block, by_byte), halves);
    for (int64_t t = 0; t < abits; t++) {
      __m256i bit = _mm256_sll_epi16(ordered, _mm_cvtsi64_si128(7 - t));
      planes[t * blocks + k] = (uint32_t)_mm256_movemask_epi8(bit);
    }
  }
}

#include "quantize/rows.inc"

const struct strata_quantize_row strata_quantize_f32_x8__avx2 = STRATA_QUANTIZE_TABLE;
