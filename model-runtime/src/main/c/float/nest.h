// Loop nests over strided operands: the axes that matter, outermost first.
#ifndef STRATA_FLOAT_NEST_H
#define STRATA_FLOAT_NEST_H

#include <stdint.h>

enum { NEST_RANK = 8, NEST_OPERANDS = 4 };

struct nest {
  int64_t rank;  // at least 2: axes of size one are put in front
  int64_t operands;
  int64_t dims[NEST_RANK];
  int64_t strides[NEST_RANK][NEST_OPERANDS];
};

static inline int nest_joins(const struct nest *nest, const int64_t *inner, int64_t size) {
  const int64_t *outer = nest->strides[nest->rank - 1];
  for (int64_t i = 0; i < nest->operands; i++) {
    if (outer[i] != inner[i] * size) return 0;
  }
  return 1;
}

// Drops axes of size one and joins neighbours that are one run in every operand.
static inline void nest_init(struct nest *nest, int64_t rank, const int64_t *dims, int64_t operands,
                             const int64_t *const *strides) {
  *nest = (struct nest){.operands = operands};
  for (int64_t axis = 0; axis < rank; axis++) {
    if (dims[axis] == 1) continue;
    int64_t inner[NEST_OPERANDS] = {0};
    for (int64_t i = 0; i < operands; i++) inner[i] = strides[i][axis];
    if (nest->rank > 0 && nest_joins(nest, inner, dims[axis])) {
      nest->dims[nest->rank - 1] *= dims[axis];
    } else {
      nest->dims[nest->rank++] = dims[axis];
    }
    for (int64_t i = 0; i < operands; i++) nest->strides[nest->rank - 1][i] = inner[i];
  }
  while (nest->rank < 2) {
    for (int64_t axis = nest->rank; axis > 0; axis--) {
      nest->dims[axis] = nest->dims[axis - 1];
      for (int64_t i = 0; i < operands; i++) nest->strides[axis][i] = nest->strides[axis - 1][i];
    }
    nest->dims[0] = 1;
    for (int64_t i = 0; i < operands; i++) nest->strides[0][i] = 0;
    nest->rank++;
  }
}

// Moves an axis inwards to position `to`; those between move one outwards.
static inline void nest_move(struct nest *nest, int64_t axis, int64_t to) {
  int64_t dim = nest->dims[axis], strides[NEST_OPERANDS];
  for (int64_t i = 0; i < nest->operands; i++) strides[i] = nest->strides[axis][i];
  for (; axis < to; axis++) {
    nest->dims[axis] = nest->dims[axis + 1];
    for (int64_t i = 0; i < nest->operands; i++)
      nest->strides[axis][i] = nest->strides[axis + 1][i];
  }
  nest->dims[to] = dim;
  for (int64_t i = 0; i < nest->operands; i++) nest->strides[to][i] = strides[i];
}

// Number of positions of all axes but the `inner` last ones.
static inline int64_t nest_outer(const struct nest *nest, int64_t inner) {
  int64_t count = 1;
  for (int64_t axis = 0; axis < nest->rank - inner; axis++) count *= nest->dims[axis];
  return count;
}

// Steps `index` and the operands' `offsets` to the next position of all axes but the last `inner`.
static inline void nest_advance(const struct nest *nest, int64_t inner, int64_t *index,
                                int64_t *offsets) {
  for (int64_t axis = nest->rank - inner - 1; axis >= 0; axis--) {
    const int64_t *strides = nest->strides[axis];
    for (int64_t i = 0; i < nest->operands; i++) offsets[i] += strides[i];
    if (++index[axis] < nest->dims[axis]) return;
    for (int64_t i = 0; i < nest->operands; i++) offsets[i] -= strides[i] * nest->dims[axis];
    index[axis] = 0;
  }
}

// Strides of a dense row-major array.
static inline void nest_dense(int64_t rank, const int64_t *dims, int64_t *strides) {
  int64_t run = 1;
  for (int64_t axis = rank - 1; axis >= 0; axis--) {
    strides[axis] = run;
    run *= dims[axis];
  }
}

#endif
