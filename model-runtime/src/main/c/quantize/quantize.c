#include "quantize/quantize.h"

static const struct {
  uint32_t isa;
  const struct strata_quantize_row *run;
} table[] = {
#define QUANTIZE(isa, name) {isa, &name},
#include "quantize/quantize.inc"
#undef QUANTIZE
};

static const struct strata_quantize_row *chosen = &strata_quantize_f32_x1__scalar;

void strata_quantize_select(uint32_t isa) { chosen = STRATA_PICK(table, isa); }

void strata_group_sums(const int8_t *codes, int64_t rows, int64_t columns, int64_t group,
                       int32_t *sums) {
  chosen->sums(codes, rows * (columns / group), group, sums);
}

void strata_quantize_rows(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                          int64_t columns, int64_t group, int8_t *codes, int32_t *sums,
                          float *scale) {
  struct strata_quantize_shape shape = {x_stride, rows, width, columns, group};
  chosen->dynamic(x, &shape, codes, sums, scale);
}

void strata_quantize_samples(const float *x, int64_t samples, int64_t width, int8_t *codes,
                             float *scale) {
  chosen->samples(x, samples, width, codes, scale);
}

void strata_quantize_static(const float *x, int64_t x_stride, int64_t rows, int64_t width,
                            int64_t columns, int64_t group, float inverse_scale, int64_t zero_point,
                            int64_t low, int64_t high, int8_t *codes, int32_t *sums) {
  struct strata_quantize_shape shape = {x_stride, rows, width, columns, group};
  struct strata_quantizer q = {inverse_scale, (int32_t)zero_point, (int32_t)low, (int32_t)high};
  chosen->fixed(x, &shape, &q, codes, sums);
}

void strata_quantize_channels(const float *x, int64_t pixels, int64_t channels,
                              const float *inverse_scale, const int8_t *zero_point, int8_t *codes) {
  for (int64_t i = 0; i < pixels; i++) {
    chosen->channels(x + i * channels, channels, inverse_scale, zero_point, codes + i * channels);
  }
}

void strata_pack_planes(const int8_t *codes, int64_t rows, int64_t columns, int64_t abits,
                        uint32_t *planes) {
  int64_t blocks = columns / STRATA_BLOCK_COLUMNS;
  for (int64_t m = 0; m < rows; m++) {
    chosen->planes(codes + m * columns, blocks, abits, planes + m * abits * blocks);
  }
}
