/// The native kernels as Java sees them: [dev.strata.kernel.NativeLibrary] loads the library and
/// chooses the instruction set, [dev.strata.kernel.NativeKernels] and `FloatKernels` have one
// method
/// per C function, and [dev.strata.kernel.Structs] writes the structs they read. Shapes and
/// arithmetic are in `strata.h`.
package dev.strata.kernel;
