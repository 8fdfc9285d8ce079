#include <immintrin.h>
#include <string.h>

#include "quantize/quantize.h"

static float largest(const float *x, int64_t count) {
  const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  __m256 most = _mm256_setzero_ps();
  for (int64_t i = 0; i < count; i += 8) {
    float tail[8] = {0};
    const float *at = x + i;
    if (count - i < 8) {
      memcpy(tail, at, (size_t)(count - i) * sizeof *tail);
      at = tail;
    }
    most = _mm256_max_ps(_mm256_and_ps(_mm256_loadu_ps(at), magnitude), most);
  }
  float lanes[8];
  _mm256_storeu_ps(lanes, most);
  float all = 0;
  for (int i = 0; i < 8; i++) {
    all = lanes[i] > all ? lanes[i] : all;
  }
  return all;
}

// The low byte of each number.
static int64_t low_bytes(__m256i numbers) {
  __m256i low = _mm256_and_si256(numbers, _mm256_set1_epi32(0xff));
  __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  return _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
}

static void codes(const float *x, int64_t count, const struct strata_quantizer *q, int8_t *out) {
  __m256 inverse = _mm256_set1_ps(q->inverse_scale);
  __m256 low = _mm256_set1_ps((float)(q->low - q->zero_point));
  __m256 high = _mm256_set1_ps((float)(q->high - q->zero_point));
  __m256i zero_point = _mm256_set1_epi32(q->zero_point);
  for (int64_t i = 0; i < count; i += 8) {
    size_t part = count - i < 8 ? (size_t)(count - i) : 8;
    float values[8] = {0};
    memcpy(values, x + i, part * sizeof *values);
    __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(values), inverse);
    scaled = _mm256_max_ps(_mm256_min_ps(scaled, high), low);
    __m256i rounded = _mm256_add_epi32(_mm256_cvtps_epi32(scaled), zero_point);
    int64_t bytes = low_bytes(rounded);
    memcpy(out + i, &bytes, part);
  }
}

static void channels(const float *x, int64_t count, const float *inverse_scale,
                     const int8_t *zero_point, int8_t *out) {
  __m256 lowest = _mm256_set1_ps(INT8_MIN);
  __m256 highest = _mm256_set1_ps(INT8_MAX);
  for (int64_t i = 0; i < count; i += 8) {
    size_t part = count - i < 8 ? (size_t)(count - i) : 8;
    float values[8] = {0};
    float inverse[8] = {0};
    int64_t zeros = 0;
    memcpy(values, x + i, part * sizeof *values);
    memcpy(inverse, inverse_scale + i, part * sizeof *inverse);
    memcpy(&zeros, zero_point + i, part);
    __m256i zero = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(zeros));
    __m256 shift = _mm256_cvtepi32_ps(zero);
    __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(values), _mm256_loadu_ps(inverse));
    scaled = _mm256_min_ps(scaled, _mm256_sub_ps(highest, shift));
    scaled = _mm256_max_ps(scaled, _mm256_sub_ps(lowest, shift));
    int64_t bytes = low_bytes(_mm256_add_epi32(_mm256_cvtps_epi32(scaled), zero));
    memcpy(out + i, &bytes, part);
  }
}

// Codes plus 128 are unsigned bytes, which sad adds up, 8 at a time.
static int32_t sum(const int8_t *codes, int64_t count) {
  const __m128i flip = _mm_set1_epi8((char)0x80);
  __m128i total = _mm_setzero_si128();
  for (int64_t i = 0; i < count; i += 16) {
    __m128i shifted = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(codes + i)), flip);
    total = _mm_add_epi64(total, _mm_sad_epu8(shifted, _mm_setzero_si128()));
  }
  return (int32_t)(_mm_cvtsi128_si64(total) + _mm_extract_epi64(total, 1) - 128 * count);
}

static void sums(const int8_t *codes, int64_t count, int64_t size, int32_t *sums) {
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

const struct strata_quantize_row strata_quantize_f32_x8__avx2 = {largest, codes, channels, sums,
                                                                 planes};
