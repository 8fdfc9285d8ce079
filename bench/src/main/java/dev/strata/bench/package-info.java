/// Benchmarks of kernels and models, against ONNX Runtime and OpenBLAS in the same process and
/// against what the processor can do at most. One thread each, taking turns.
package dev.strata.bench;
