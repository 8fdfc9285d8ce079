// Matrix product of weights that stand in a table: powers of two, or any other 2^bits values. Few
// rows run as stream does, more as block does; the table is looked up where those make codes.
#ifndef STRATA_CODEBOOK_H
#define STRATA_CODEBOOK_H

#include "isa.h"

typedef void strata_codebook_row(const struct strata_weights *w, const int8_t *codebook,
                                 const struct strata_rows *x, const struct strata_epilogue *e,
                                 void *scratch);

#define CODEBOOK(isa, name) strata_codebook_row name;
#include "codebook/codebook.inc"
#undef CODEBOOK

void strata_codebook_select(uint32_t isa);

#endif
