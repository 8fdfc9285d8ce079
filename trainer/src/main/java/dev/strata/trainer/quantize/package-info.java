/// Float networks to layered ones: parent grids, nested codes, refitted scales and biases for each
/// width, from weights alone or with calibration data. Read [LayeredQuantizer] first; formulas and
/// their sources are in `docs/precision.md`.
package dev.strata.trainer.quantize;
