/// What b bits mean: how codes lie in bit-planes, which planes and scale tables make up a width,
/// and what each layer of a model does at it. docs/precision.md has the formulas.
package dev.strata.precision;
