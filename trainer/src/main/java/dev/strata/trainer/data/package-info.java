/// Readers and writers of the data sets that calibration and evaluation use: `.npz` and IDX.
package dev.strata.trainer.data;
