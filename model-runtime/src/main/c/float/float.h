// The float operators of strata.h, one table of functions per instruction set. The bodies are in
// the .inc files of this folder and are compiled once per instruction set; all give the same bits.
#ifndef STRATA_FLOAT_FLOAT_H
#define STRATA_FLOAT_FLOAT_H

#include "../strata.h"

struct strata_float_kernels {
  __typeof__(&strata_matmul_f32) matmul;
  __typeof__(&strata_depthwise_f32) depthwise;
  __typeof__(&strata_unary_f32) unary;
  __typeof__(&strata_binary_f32) binary;
  __typeof__(&strata_where_f32) where;
  __typeof__(&strata_softmax_f32) softmax;
  __typeof__(&strata_layer_norm_f32) layer_norm;
  __typeof__(&strata_attention_f32) attention;
  void (*balance)(const float *x, const float *factors, float *y, int64_t count);
  __typeof__(&strata_reduce_f32) reduce;
  __typeof__(&strata_pool_f32) pool;
  __typeof__(&strata_resize_f32) resize;
  __typeof__(&strata_copy) copy;
  __typeof__(&strata_fill_f32) fill;
  __typeof__(&strata_take) take;
  __typeof__(&strata_cast_i64_f32) cast_i64_f32;
  __typeof__(&strata_cast_f32_i64) cast_f32_i64;
};

extern const struct strata_float_kernels strata_float__scalar;
#if defined(__x86_64__)
extern const struct strata_float_kernels strata_float__avx2;
extern const struct strata_float_kernels strata_float__avx512bw;
#elif defined(__aarch64__)
extern const struct strata_float_kernels strata_float__neon;
#endif

// Widest matrix panel of any instruction set, in columns, and its highest tile, in rows.
enum { STRATA_FLOAT_PANEL = 32, STRATA_FLOAT_TILE = 8 };

// y[i] = x[i] * factors[i] for the fused steps; y may be x.
void strata_balance(const float *x, const float *factors, float *y, int64_t count);

#endif
