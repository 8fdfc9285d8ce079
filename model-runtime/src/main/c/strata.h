// The whole exported ABI of the kernel library, with shapes and units.
//
// Every pointer is borrowed for the call. Nothing here allocates or keeps state; the one piece of
// state is the dispatch table, chosen once by strata_isa_select. Sizes are checked by the Java
// caller. Structs are read as they lie in memory (all fields are 8 bytes wide, so there is no
// padding).
//
// Exactness: integer sums are exact; each float formula below has one defined order of fused
// multiply-adds, so every instruction set gives the same bits. No fast-math, no contraction other
// than the written fma's.
#ifndef STRATA_H
#define STRATA_H

#include <stdint.h>

#define STRATA_ABI 3
#define STRATA_PANEL_ROWS 16
#define STRATA_BLOCK_COLUMNS 32
#define STRATA_EXPORT __attribute__((visibility("default")))

// ---- library and dispatch -------------------------------------------------------------------

// On one architecture a larger number includes the smaller ones.
enum strata_isa {
  STRATA_ISA_SCALAR = 0,
  STRATA_ISA_AVX2 = 1,      // AVX2 + FMA
  STRATA_ISA_AVX512BW = 2,  // AVX-512 F/BW/DQ/VL
  STRATA_ISA_AVX512 = 3,    // AVX-512 F/BW/DQ/VL + VNNI + GFNI + VBMI + VPOPCNTDQ + BITALG
  STRATA_ISA_AMX = 4,       // the same + AMX tiles of 8-bit integers
  STRATA_ISA_NEON = 16,     // AArch64 NEON with the dot product extension
};

STRATA_EXPORT uint32_t strata_abi(void);
// Best instruction set that CPU and operating system support.
STRATA_EXPORT uint32_t strata_isa_probe(void);
// Chooses every kernel's row; a value that this machine does not have becomes the probe's. Returns
// what is now in use. Call before any kernel, and never while one runs (tests switch between runs).
STRATA_EXPORT uint32_t strata_isa_select(uint32_t isa);

// ---- limits of one core, for benchmarks ---------------------------------------------------------

// The caller measures the time. dots: 8-bit multiply-adds, floats: single precision ones, ones:
// products of two bits (AND, count, add); each gives how many were done. read: reads all bytes
// once; its result means nothing.
STRATA_EXPORT int64_t strata_limit_dots(int64_t rounds);
STRATA_EXPORT int64_t strata_limit_floats(int64_t rounds);
STRATA_EXPORT int64_t strata_limit_ones(int64_t rounds);
STRATA_EXPORT int64_t strata_limit_read(const void *x, int64_t bytes);

// ---- layered weights --------------------------------------------------------------------------

// One weight matrix at a precision of `bits` planes. Layout of planes, groups and tables:
// precision/PlaneLayout.java and docs/artifact-format.md. rows is unpadded, columns is padded.
// U is the prefix code shifted left to 8 bits. The weight is
//   w[c][j] = scale[c] * ns[g][c] * (2*U[c][j] - centre) + offset[c] * nb[g][c]
// with g = j / group, centre = 256 - 2^(8-bits), ns = groups[panel][g][0][c%16] (uint8),
// nb = groups[panel][g][1][c%16] (int8).
struct strata_weights {
  const uint8_t *planes[8];  // `bits` used; most significant first; each [panels][columns/32][64]
  int64_t bits;
  int64_t rows;
  int64_t columns;        // padded: a multiple of group
  int64_t group;          // a multiple of 32
  const uint8_t *groups;  // [panels][columns/group][2][16]
  const float *scale;     // [panels*16]
  const float *offset;    // [panels*16]
};

// Codes of the function fused behind a matrix product, and of strata_unary_f32.
enum strata_activation {
  STRATA_IDENTITY,
  STRATA_RELU,
  STRATA_CLIP,
  STRATA_LEAKY_RELU,
  STRATA_HARD_SIGMOID,
  STRATA_HARD_SWISH,
  STRATA_SIGMOID,
  STRATA_TANH,
  STRATA_ERF,
  STRATA_GELU,
  STRATA_GELU_TANH,
  STRATA_SQRT,
  STRATA_EXP,
  STRATA_LOG,
  STRATA_ABS,
  STRATA_NEG,
  STRATA_RECIPROCAL,
};

// y[m][c] = activation(t + bias[c] + residual[m][c])
struct strata_epilogue {
  const float *bias;      // [panels*16]; never null
  const float *residual;  // null, or [m] rows of residual_stride floats
  int64_t residual_stride;
  int64_t activation;  // enum strata_activation
  double alpha;        // a float value
  double beta;         // a float value
  float *out;          // [m] rows of out_stride floats
  int64_t out_stride;
};

// Integer activations of one matrix product.
struct strata_rows {
  const int8_t *codes;  // [count][columns], zero in padded columns
  const int32_t *sums;  // [count][columns/group]: sum of the codes of each group
  const float *scale;   // [count][columns/group]: value of one code in each group
  int64_t count;
};

// Matrix product, the definition that every path below equals to the last bit. With
//   I[g] = 2 * sum_j U[c][j]*q[m][j] - centre * sums[m][g]           (int32, exact)
//   a1   = fma(ns[g], x.scale[m][g] * (float)I[g], a1)        over ascending g, from 0
//   a2   = fma(nb[g], x.scale[m][g] * (float)sums[m][g], a2)  over ascending g, from 0
//   t    = fma(scale[c], a1, offset[c] * a2)
// then the epilogue. group <= 32768 columns keeps I in range.
STRATA_EXPORT void strata_stream(const struct strata_weights *w, const struct strata_rows *x,
                                 const struct strata_epilogue *e);  // best for few rows (<= 8)
// scratch: at least strata_block_scratch(w) bytes, 64-byte aligned.
STRATA_EXPORT void strata_block(const struct strata_weights *w, const struct strata_rows *x,
                                const struct strata_epilogue *e, void *scratch);
STRATA_EXPORT int64_t strata_block_scratch(const struct strata_weights *w);

// Weights by a table: the matrix product with another value for a code,
//   I[g] = sum_j codebook[U[c][j] >> (8 - bits)] * q[m][j]
// codebook: [2^bits]. scratch as for strata_block. For any number of rows.
STRATA_EXPORT void strata_codebook(const struct strata_weights *w, const int8_t *codebook,
                                   const struct strata_rows *x, const struct strata_epilogue *e,
                                   void *scratch);

// Sums of absolute differences (adder networks): weights and activations are codes of one scale.
//   W = U + (2^(8-bits) >> 1)                                     the middle of a code's bin
//   d = sum over j < width of |W[c][j] - 128 - q[m][j]|           (int32, exact)
//   t = scale[c] * (float)-d
// then the epilogue. The columns from `width` on count nothing. Neither groups and offset nor
// x.sums and x.scale are read. scratch as for strata_block. For any number of rows.
STRATA_EXPORT void strata_adder(const struct strata_weights *w, int64_t width,
                                const struct strata_rows *x, const struct strata_epilogue *e,
                                void *scratch);

// Low-width activations as bit-planes: x->codes is then [count][abits][columns/32] uint32 words in
// the weight planes' bit order, plane t worth 2^t; codes are unsigned; same formula and epilogue.
// scratch: at least strata_bitserial_scratch(w) bytes, 64-byte aligned.
STRATA_EXPORT void strata_bitserial(const struct strata_weights *w, const struct strata_rows *x,
                                    int64_t abits, const struct strata_epilogue *e, void *scratch);
STRATA_EXPORT int64_t strata_bitserial_scratch(const struct strata_weights *w);

// out[i][0..width) = row ids[i] of the matrix as floats: fma(scale*ns, 2U-centre, offset*nb).
STRATA_EXPORT void strata_gather(const struct strata_weights *w, const int64_t *ids, int64_t count,
                                 int64_t width, float *out, int64_t out_stride);

// ---- convolution (NHWC) -------------------------------------------------------------------------

struct strata_window {
  int64_t samples, height, width, channels;  // input
  int64_t out_height, out_width;
  int64_t kernel_height, kernel_width, stride_height, stride_width;
  int64_t dilation_height, dilation_width, pad_top, pad_left;
};

// Quantized convolution. x: codes [samples][height][width][channels] (all groups together);
// x_scale: [samples]; pad_code: the code of the value zero, used outside the image. submatrices =
// groups of a grouped convolution: group i reads channels [i*C/G, (i+1)*C/G) and writes output
// channels [i*rows, (i+1)*rows); `w` holds an array of one strata_weights per group (rows =
// per-group rows) and e->bias is then [groups][panels*16]. Column order of w: (kh, kw, channel).
// out: [samples*out_height*out_width] rows of out_stride. Equals im2col followed by strata_block.
STRATA_EXPORT void strata_conv(const struct strata_weights *w, int64_t submatrices,
                               const struct strata_window *s, const int8_t *x, const float *x_scale,
                               int64_t pad_code, const struct strata_epilogue *e, void *scratch);
STRATA_EXPORT int64_t strata_conv_scratch(const struct strata_weights *w, int64_t submatrices,
                                          const struct strata_window *s);

// The same with activations of `abits` bits as bit-planes, for channels of a group that are whole
// words of 32: x is [samples][height][width][abits][channels/32] words, which strata_pack_planes
// makes of pixels as rows; plane t is worth 2^t; codes, pad_code too, are unsigned.
STRATA_EXPORT void strata_conv_bitserial(const struct strata_weights *w, int64_t submatrices,
                                         const struct strata_window *s, int64_t abits,
                                         const uint32_t *x, const float *x_scale, int64_t pad_code,
                                         const struct strata_epilogue *e, void *scratch);
STRATA_EXPORT int64_t strata_conv_bitserial_scratch(const struct strata_weights *w,
                                                    int64_t submatrices,
                                                    const struct strata_window *s, int64_t abits);

// Depthwise: w has rows = channels and columns = padded kernel_height*kernel_width taps, one group.
// pad_codes: [channels], the code of zero in each. sums are over the taps (padding included as the
// channel's pad code). Same formula and epilogue.
STRATA_EXPORT void strata_depthwise(const struct strata_weights *w, const struct strata_window *s,
                                    const int8_t *x, const float *x_scale, const int8_t *pad_codes,
                                    const struct strata_epilogue *e);

// ---- activation quantizers ----------------------------------------------------------------------

// Per row and group of columns: scale = absmax/127 (0 where all are zero, codes 0), code =
// rint(x * (127/absmax)) to nearest even, clamped to -127..127. x: `rows` rows of x_stride floats,
// `width` used; codes padded with zeros to `columns`; sums and scale [rows][columns/group].
STRATA_EXPORT void strata_quantize_rows(const float *x, int64_t x_stride, int64_t rows,
                                        int64_t width, int64_t columns, int64_t group,
                                        int8_t *codes, int32_t *sums, float *scale);
// One scale per row of `width` values, no padding and no sums (convolution inputs, row = sample).
STRATA_EXPORT void strata_quantize_samples(const float *x, int64_t samples, int64_t width,
                                           int8_t *codes, float *scale);
// Static: code = clamp(rint(x * inverse_scale) + zero_point, low, high). Rows as in quantize_rows.
STRATA_EXPORT void strata_quantize_static(const float *x, int64_t x_stride, int64_t rows,
                                          int64_t width, int64_t columns, int64_t group,
                                          float inverse_scale, int64_t zero_point, int64_t low,
                                          int64_t high, int8_t *codes, int32_t *sums);
// Static, channel by channel: code = clamp(rint(x * inverse_scale[c]) + zero_point[c], -128, 127).
// x and codes: [pixels][channels]; inverse_scale and zero_point: [channels].
STRATA_EXPORT void strata_quantize_channels(const float *x, int64_t pixels, int64_t channels,
                                            const float *inverse_scale, const int8_t *zero_point,
                                            int8_t *codes);
// Codes 0..2^abits-1 (as bytes) to bit-planes [rows][abits][columns/32] for strata_bitserial.
STRATA_EXPORT void strata_pack_planes(const int8_t *codes, int64_t rows, int64_t columns,
                                      int64_t abits, uint32_t *planes);
// im2col: out [rows = samples*out_height*out_width][kh*kw*C]. first_channel/channels select one
// group.
STRATA_EXPORT void strata_im2col_f32(const struct strata_window *s, const float *x,
                                     int64_t first_channel, int64_t channels, float *out);

// ---- fused steps --------------------------------------------------------------------------------

// How finished rows of floats become the input of the next product. With z = x * balance (or x):
// codes, sums and scale are what strata_quantize_rows (scale not null) or strata_quantize_static
// (scale null) make of z.
struct strata_requantize {
  const float *balance;    // null, or [width] factors
  int64_t columns, group;  // columns: width padded to whole groups
  double inverse_scale;    // a float value; this and the next three are for static codes
  int64_t zero_point, low, high;
  int8_t *codes;  // [rows][columns]
  int32_t *sums;  // [rows][columns/group]
  float *scale;   // null, or [rows][columns/group]
};

// Codes of rows of floats, balanced. scratch: `width` floats, 64-byte aligned.
STRATA_EXPORT void strata_requantize_rows(const float *x, int64_t x_stride, int64_t rows,
                                          int64_t width, const struct strata_requantize *r,
                                          void *scratch);
enum strata_path { STRATA_STREAM, STRATA_BLOCK, STRATA_BITSERIAL };
// A product with its epilogue, then the codes of its output: the same bits as the product of this
// path followed by strata_requantize_rows. e->out may be null: then no floats are kept. abits is
// for the bit-serial path. scratch: strata_linear_scratch bytes, 64-byte aligned.
STRATA_EXPORT void strata_linear(const struct strata_weights *w, const struct strata_rows *x,
                                 const struct strata_epilogue *e, int64_t path, int64_t abits,
                                 const struct strata_requantize *r, void *scratch);
STRATA_EXPORT int64_t strata_linear_scratch(const struct strata_weights *w, int64_t rows,
                                            int64_t group);
// Layer norm followed by strata_requantize_rows. y may be null: then no floats are kept. scratch:
// 2 * width floats, 64-byte aligned.
STRATA_EXPORT void strata_layer_norm_codes(const float *x, const float *scale, const float *bias,
                                           float epsilon, float *y, int64_t rows, int64_t width,
                                           const struct strata_requantize *r, void *scratch);

// ---- float operators
// ------------------------------------------------------------------------------

// c[b] = a[b] * op(b[b]) for `batch` matrices at the given element strides (0 repeats). a: m x k
// rows of lda; op(b): k x n, stored [k][ldb] or, when b_transposed, [n][ldb]. Each output is the
// fma chain over ascending k from 0, then the epilogue (e->out etc. of batch 0; the batch stride of
// c is c_stride; residual must be null when batch > 1; a null bias is zero here). scratch:
// strata_matmul_scratch.
STRATA_EXPORT void strata_matmul_f32(int64_t batch, int64_t m, int64_t n, int64_t k, const float *a,
                                     int64_t lda, int64_t a_stride, const float *b, int64_t ldb,
                                     int64_t b_stride, int64_t b_transposed,
                                     const struct strata_epilogue *e, int64_t c_stride,
                                     void *scratch);
STRATA_EXPORT int64_t strata_matmul_scratch(int64_t n, int64_t k);
// Float depthwise convolution, weights [channels][kh*kw], fma over ascending taps from 0 (taps
// outside the image are skipped), then the epilogue (residual allowed).
STRATA_EXPORT void strata_depthwise_f32(const struct strata_window *s, const float *x,
                                        const float *weights, const struct strata_epilogue *e);

// y may be x.
STRATA_EXPORT void strata_unary_f32(int64_t function, float alpha, float beta, const float *x,
                                    float *y, int64_t count);

enum strata_binary {
  STRATA_ADD,
  STRATA_SUB,
  STRATA_MUL,
  STRATA_DIV,
  STRATA_POW,
  STRATA_MIN,
  STRATA_MAX,
  STRATA_PRELU,
};
// y (dense, row-major, `rank` dims, rank <= 8) = f(a, b); strides in elements, 0 broadcasts. y may
// be a or b where that one is dense. MIN and MAX of NaN are NaN; POW is C's.
STRATA_EXPORT void strata_binary_f32(int64_t function, int64_t rank, const int64_t *dims,
                                     const int64_t *a_strides, const int64_t *b_strides,
                                     const float *a, const float *b, float *y);
// y = condition != 0 ? a : b, condition INT64, same stride rules.
STRATA_EXPORT void strata_where_f32(int64_t rank, const int64_t *dims, const int64_t *c_strides,
                                    const int64_t *a_strides, const int64_t *b_strides,
                                    const int64_t *condition, const float *a, const float *b,
                                    float *y);
// Rows of `width`: exp(x - max) * (1 / sum). Sums run in 16 lanes (lane = index % 16) and are added
// by halves (8, 4, 2, 1); the same for layer norm, reduce and mean. y may be x.
STRATA_EXPORT void strata_softmax_f32(const float *x, float *y, int64_t rows, int64_t width);
STRATA_EXPORT void strata_layer_norm_f32(const float *x, const float *scale, const float *bias,
                                         float epsilon, float *y, int64_t rows, int64_t width);
// Scaled dot-product attention. For sample b, head h, query i, key j, with every operand at
// pointer + b*strides[0] + h*strides[1] + row*strides[2] + element (elements are neighbours):
//   s = fma chain of q[b][h][i] . k[b][h][j] over ascending depth from 0
//   s = divides ? s / scale : s * scale; then s + mask[b][h][i][j] where there is a mask
//   p = softmax over the keys, as strata_softmax_f32
//   out[b][h][i][d] = fma chain of p[j] * v[b][h][j][d] over ascending keys from 0
struct strata_attention {
  int64_t batch, heads, queries, keys, depth, value_depth;
  const float *q, *k, *v;
  int64_t q_strides[3], k_strides[3], v_strides[3];
  int64_t divides;
  double scale;       // a float value
  const float *mask;  // null, or with strides of its own for b, h, i, j; 0 repeats
  int64_t mask_strides[4];
  float *out;
  int64_t out_strides[3];
};
// scratch: strata_attention_scratch bytes, 64-byte aligned.
STRATA_EXPORT void strata_attention_f32(const struct strata_attention *t, void *scratch);
STRATA_EXPORT int64_t strata_attention_scratch(int64_t keys, int64_t depth);
enum strata_reduce { STRATA_MEAN, STRATA_SUM, STRATA_REDUCE_MAX };
// x [outer][axis][inner] -> y [outer][inner]. inner == 1: 16 lanes as above; else ascending order.
STRATA_EXPORT void strata_reduce_f32(int64_t function, int64_t outer, int64_t axis, int64_t inner,
                                     const float *x, float *y);
enum strata_pool { STRATA_POOL_MAX, STRATA_POOL_AVERAGE };
// NHWC. AVERAGE divides by the taps inside the image, or with count_padding by the taps inside the
// image extended by the padding (pad_bottom, pad_right included).
STRATA_EXPORT void strata_pool_f32(int64_t function, const struct strata_window *s,
                                   int64_t pad_bottom, int64_t pad_right, int64_t count_padding,
                                   const float *x, float *y);
// Strided copy of elements of `size` (4 or 8) bytes: dst[i . dst_strides] = src[i . src_strides]
// for all i < dims; strides in elements, may be 0 or negative in src. Transpose, slice, concat,
// expand.
STRATA_EXPORT void strata_copy(int64_t size, int64_t rank, const int64_t *dims,
                               const int64_t *src_strides, const int64_t *dst_strides,
                               const void *src, void *dst);
STRATA_EXPORT void strata_fill_f32(float value, float *y, int64_t count);
// Rows of `inner` elements of `size` bytes: y[o][i] = x[o][indices[i]], o < outer, indices within
// 0..axis after adding axis to negatives. Out-of-range indices return -1 and write nothing more;
// else 0.
STRATA_EXPORT int64_t strata_take(int64_t size, int64_t outer, int64_t axis, int64_t inner,
                                  const int64_t *indices, int64_t count, const void *x, void *y);
// NHWC resize by precomputed tables: for each output row, source rows row0/row1 and weight of row1
// (0 for nearest); the same for columns. y = bilinear blend, rows first: lerp(a,b,w) = fma(w, b-a,
// a); with both weights 0 a plain copy.
STRATA_EXPORT void strata_resize_f32(int64_t samples, int64_t height, int64_t width,
                                     int64_t channels, int64_t out_height, int64_t out_width,
                                     const int64_t *row0, const int64_t *row1,
                                     const float *row_weight, const int64_t *col0,
                                     const int64_t *col1, const float *col_weight, const float *x,
                                     float *y);
// Float to integer goes towards zero, NaN to 0, and saturates.
STRATA_EXPORT void strata_cast_i64_f32(const int64_t *x, float *y, int64_t count);
STRATA_EXPORT void strata_cast_f32_i64(const float *x, int64_t *y, int64_t count);

#endif
