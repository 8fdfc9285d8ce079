package dev.strata.trainer.quantize;

/// Told how far quantization has come.
@FunctionalInterface
public interface QuantizationProgress {

  QuantizationProgress SILENT = (stage, done, total) -> {};

  /// @param stage what is being done, in a few words
  void advanced(String stage, int done, int total);
}
