// Weight-streaming matrix product: planes are unpacked in registers and used at once for all
// activation rows. Best for few rows, where time is the bytes of the planes read. Reads w->bits
// planes and nothing of the others.
#ifndef STRATA_STREAM_H
#define STRATA_STREAM_H

#include "isa.h"

typedef void strata_stream_row(const struct strata_weights *w, const struct strata_rows *x,
                               const struct strata_epilogue *e);

#define STREAM(isa, name) strata_stream_row name;
#include "stream/stream.inc"
#undef STREAM

void strata_stream_select(uint32_t isa);

#endif
