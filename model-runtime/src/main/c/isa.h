// One choice of instruction set for all kernel families.
//
// A family has a table of rows, fastest first, and the scalar row last. Its select function takes
// the first row that the given level allows. Until the first choice every family runs its scalar
// row.
#ifndef STRATA_ISA_H
#define STRATA_ISA_H

#include <stddef.h>

#include "strata.h"

// The `run` of the first row of `table` that level `isa` allows; the scalar row always is.
#define STRATA_PICK(table, level)        \
  ({                                     \
    size_t row = 0;                      \
    while ((table)[row].isa > (level)) { \
      row++;                             \
    }                                    \
    (table)[row].run;                    \
  })

void strata_float_select(uint32_t isa);

// The name of a level, as STRATA_ISA and the suffixes of files have it.
const char *strata_isa_name(uint32_t isa);

#endif
