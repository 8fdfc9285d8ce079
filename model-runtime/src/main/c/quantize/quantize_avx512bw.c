#include <immintrin.h>
#include <string.h>

#include "quantize/quantize.h"

static __mmask16 first16(int64_t count) {
  return count >= 16 ? 0xffff : (__mmask16)((1u << count) - 1);
}

// max_ps(a, b) is a > b ? a : b, as in the scalar row also where a is NaN.
static inline float largest(const float *x, int64_t count) {
  __m512 most[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    most[0] = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + i)), most[0]);
    most[1] = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + i + 16)), most[1]);
  }
  for (; i < count; i += 16) {
    __m512 tail = _mm512_maskz_loadu_ps(first16(count - i), x + i);
    most[0] = _mm512_max_ps(_mm512_abs_ps(tail), most[0]);
  }
  return _mm512_reduce_max_ps(_mm512_max_ps(most[0], most[1]));
}

// 64 numbers of -128 to 127 as bytes: packing works within 128 bits, so quads change places behind.
static __m512i bytes(const __m512i numbers[4]) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i low = _mm512_packs_epi32(numbers[0], numbers[1]);
  __m512i high = _mm512_packs_epi32(numbers[2], numbers[3]);
  return _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
}

static inline void codes(const float *x, int64_t count, const struct strata_quantizer *q,
                         int8_t *out) {
  __m512 inverse = _mm512_set1_ps(q->inverse_scale);
  __m512 low = _mm512_set1_ps((float)(q->low - q->zero_point));
  __m512 high = _mm512_set1_ps((float)(q->high - q->zero_point));
  __m512i zero_point = _mm512_set1_epi32(q->zero_point);
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i rounded[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
      __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(x + i + 16 * k), inverse);
      scaled = _mm512_max_ps(_mm512_min_ps(scaled, high), low);
      rounded[k] = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), zero_point);
    }
    _mm512_storeu_si512(out + i, bytes(rounded));
  }
  for (; i < count; i += 16) {
    __mmask16 mask = first16(count - i);
    __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse);
    scaled = _mm512_max_ps(_mm512_min_ps(scaled, high), low);
    __m512i rounded = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), zero_point);
    _mm_mask_storeu_epi8(out + i, mask, _mm512_cvtepi32_epi8(rounded));
  }
}

static void channels(const float *x, int64_t count, const float *inverse_scale,
                     const int8_t *zero_point, int8_t *out) {
  __m512 lowest = _mm512_set1_ps(INT8_MIN);
  __m512 highest = _mm512_set1_ps(INT8_MAX);
  for (int64_t i = 0; i < count; i += 16) {
    __mmask16 mask = first16(count - i);
    __m512i zero = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, zero_point + i));
    __m512 shift = _mm512_cvtepi32_ps(zero);
    __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i),
                                  _mm512_maskz_loadu_ps(mask, inverse_scale + i));
    scaled = _mm512_min_ps(scaled, _mm512_sub_ps(highest, shift));
    scaled = _mm512_max_ps(scaled, _mm512_sub_ps(lowest, shift));
    __m512i rounded = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), zero);
    _mm_mask_storeu_epi8(out + i, mask, _mm512_cvtepi32_epi8(rounded));
  }
}

// Codes plus 128 are unsigned bytes, which sad adds up, 8 at a time.
static inline int32_t sum(const int8_t *codes, int64_t count) {
  __m512i total = _mm512_setzero_si512();
  __m512i flip = _mm512_set1_epi8((char)0x80);
  for (int64_t i = 0; i < count; i += 64) {
    __mmask64 mask = count - i >= 64 ? ~0ull : (1ull << (count - i)) - 1;
    __m512i shifted = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, codes + i), flip);
    total = _mm512_add_epi64(total, _mm512_sad_epu8(shifted, _mm512_setzero_si512()));
  }
  int64_t bytes = (count + 63) / 64 * 64;
  return (int32_t)(_mm512_reduce_add_epi64(total) - 128 * bytes);
}

// Runs of 16 and 32 codes, as many as one register holds, 16 / 8 numbers of sad each.
static inline void sums(const int8_t *codes, int64_t count, int64_t size, int32_t *sums) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  int64_t i = 0;
  for (int64_t runs = 64 / size; size <= 32 && i + runs <= count; i += runs) {
    __m512i shifted = _mm512_xor_si512(_mm512_loadu_si512(codes + i * size), flip);
    __m512i eights = _mm512_sad_epu8(shifted, _mm512_setzero_si512());
    __m512i whole = _mm512_add_epi64(eights, _mm512_shuffle_epi32(eights, 0x4e));
    __mmask16 firsts = 0x1111;  // of 16 codes each
    if (size == 32) {
      whole = _mm512_add_epi64(whole, _mm512_shuffle_i64x2(whole, whole, 0xb1));
      firsts = 0x0101;
    }
    __m512i packed = _mm512_maskz_compress_epi32(firsts, whole);
    __m128i totals =
        _mm_sub_epi32(_mm512_castsi512_si128(packed), _mm_set1_epi32(128 * (int32_t)size));
    _mm_mask_storeu_epi32(sums + i, (__mmask8)((1 << runs) - 1), totals);
  }
  for (; i < count; i++) {
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
      planes[t * blocks + k] = _mm256_test_epi8_mask(ordered, _mm256_set1_epi8((char)(1 << t)));
    }
  }
}

#include "quantize/rows.inc"

const struct strata_quantize_row strata_quantize_f32_x16__avx512bw = STRATA_QUANTIZE_TABLE;
