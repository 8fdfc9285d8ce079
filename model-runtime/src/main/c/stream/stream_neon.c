#include "lanes/uniform.h"
#include "stream/stream.h"
#define DECODE lanes_uniform_operand
#include "stream/stream_lanes.inc"

void strata_stream_wba8_x4__neon(const struct strata_weights *w, const struct strata_rows *x,
                                 const struct strata_epilogue *e) {
  stream_lanes(w, x, e, lanes_uniform(w), NULL);
}
