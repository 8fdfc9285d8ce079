#include "isa.h"

void strata_float_select(uint32_t isa) { (void)isa; }
