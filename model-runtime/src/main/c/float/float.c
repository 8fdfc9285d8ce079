#include "float/float.h"

#include "isa.h"

static const struct {
  uint32_t isa;
  const struct strata_float_kernels *run;
} table[] = {
#if defined(__x86_64__)
    {STRATA_ISA_AVX512BW, &strata_float__avx512bw},
    {STRATA_ISA_AVX2, &strata_float__avx2},
#elif defined(__aarch64__)
    {STRATA_ISA_NEON, &strata_float__neon},
#endif
    {STRATA_ISA_SCALAR, &strata_float__scalar},
};

static const struct strata_float_kernels *kernels = &strata_float__scalar;

void strata_float_select(uint32_t isa) { kernels = STRATA_PICK(table, isa); }

int64_t strata_matmul_scratch(int64_t n, int64_t k) {
  (void)n;  // one panel at a time
  return (k + 1) * STRATA_FLOAT_PANEL * (int64_t)sizeof(float);
}

void strata_matmul_f32(int64_t batch, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                       int64_t a_stride, const float *b, int64_t ldb, int64_t b_stride,
                       int64_t b_transposed, const struct strata_epilogue *e, int64_t c_stride,
                       void *scratch) {
  kernels->matmul(batch, m, n, k, a, lda, a_stride, b, ldb, b_stride, b_transposed, e, c_stride,
                  scratch);
}

void strata_depthwise_f32(const struct strata_window *s, const float *x, const float *weights,
                          const struct strata_epilogue *e) {
  kernels->depthwise(s, x, weights, e);
}

void strata_unary_f32(int64_t function, float alpha, float beta, const float *x, float *y,
                      int64_t count) {
  kernels->unary(function, alpha, beta, x, y, count);
}

void strata_binary_f32(int64_t function, int64_t rank, const int64_t *dims,
                       const int64_t *a_strides, const int64_t *b_strides, const float *a,
                       const float *b, float *y) {
  kernels->binary(function, rank, dims, a_strides, b_strides, a, b, y);
}

void strata_where_f32(int64_t rank, const int64_t *dims, const int64_t *c_strides,
                      const int64_t *a_strides, const int64_t *b_strides, const int64_t *condition,
                      const float *a, const float *b, float *y) {
  kernels->where(rank, dims, c_strides, a_strides, b_strides, condition, a, b, y);
}

void strata_softmax_f32(const float *x, float *y, int64_t rows, int64_t width) {
  kernels->softmax(x, y, rows, width);
}

void strata_layer_norm_f32(const float *x, const float *scale, const float *bias, float epsilon,
                           float *y, int64_t rows, int64_t width) {
  kernels->layer_norm(x, scale, bias, epsilon, y, rows, width);
}

void strata_balance(const float *x, const float *factors, float *y, int64_t count) {
  kernels->balance(x, factors, y, count);
}

// Scores of a tile, packed keys, and a packed panel of values; sized for every instruction set.
int64_t strata_attention_scratch(int64_t keys, int64_t depth) {
  int64_t pitch = (keys + STRATA_FLOAT_PANEL - 1) / STRATA_FLOAT_PANEL * STRATA_FLOAT_PANEL;
  return pitch * (STRATA_FLOAT_TILE + depth + STRATA_FLOAT_PANEL) * (int64_t)sizeof(float);
}

void strata_attention_f32(const struct strata_attention *t, void *scratch) {
  kernels->attention(t, scratch);
}

void strata_reduce_f32(int64_t function, int64_t outer, int64_t axis, int64_t inner, const float *x,
                       float *y) {
  kernels->reduce(function, outer, axis, inner, x, y);
}

void strata_pool_f32(int64_t function, const struct strata_window *s, int64_t pad_bottom,
                     int64_t pad_right, int64_t count_padding, const float *x, float *y) {
  kernels->pool(function, s, pad_bottom, pad_right, count_padding, x, y);
}

void strata_copy(int64_t size, int64_t rank, const int64_t *dims, const int64_t *src_strides,
                 const int64_t *dst_strides, const void *src, void *dst) {
  kernels->copy(size, rank, dims, src_strides, dst_strides, src, dst);
}

void strata_fill_f32(float value, float *y, int64_t count) { kernels->fill(value, y, count); }

int64_t strata_take(int64_t size, int64_t outer, int64_t axis, int64_t inner,
                    const int64_t *indices, int64_t count, const void *x, void *y) {
  return kernels->take(size, outer, axis, inner, indices, count, x, y);
}

void strata_resize_f32(int64_t samples, int64_t height, int64_t width, int64_t channels,
                       int64_t out_height, int64_t out_width, const int64_t *row0,
                       const int64_t *row1, const float *row_weight, const int64_t *col0,
                       const int64_t *col1, const float *col_weight, const float *x, float *y) {
  kernels->resize(samples, height, width, channels, out_height, out_width, row0, row1, row_weight,
                  col0, col1, col_weight, x, y);
}

void strata_cast_i64_f32(const int64_t *x, float *y, int64_t count) {
  kernels->cast_i64_f32(x, y, count);
}

void strata_cast_f32_i64(const float *x, int64_t *y, int64_t count) {
  kernels->cast_f32_i64(x, y, count);
}
