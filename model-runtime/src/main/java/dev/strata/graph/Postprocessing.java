package dev.strata.graph;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/// How the graph's outputs become the client's. Data only; `processing` does the work.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Postprocessing.None.class, name = "none"),
  @JsonSubTypes.Type(value = Postprocessing.Softmax.class, name = "softmax"),
  @JsonSubTypes.Type(value = Postprocessing.MeanPool.class, name = "mean_pool"),
  @JsonSubTypes.Type(value = Postprocessing.Label.class, name = "label"),
  @JsonSubTypes.Type(value = Postprocessing.Ctc.class, name = "ctc")
})
public sealed interface Postprocessing {

  record None() implements Postprocessing {}

  /// Logits `[N, C]` to FP32 probabilities of the same shape.
  record Softmax(String graphOutput, String output) implements Postprocessing {}

  /// Hidden states `[N, L, D]` to the mean over the real tokens, scaled to length 1: FP32 `[N, D]`.
  record MeanPool(String graphOutput, String output) implements Postprocessing {}

  /// Probabilities `[N, C]` to the best label (BYTES `[N]`) and its probability (FP32 `[N]`).
  record Label(String graphOutput, String labelOutput, String confidenceOutput)
      implements Postprocessing {}

  /// Greedy CTC over probabilities `[N, T, C]`: class 0 is the blank, class i the i-th line of the
  /// UINT8 tensor `asset.charset`, the class after the last line is a space. Text (BYTES `[N]`) and
  /// the mean probability of the kept steps (FP32 `[N]`, 0 for empty text).
  record Ctc(String graphOutput, String textOutput, String confidenceOutput)
      implements Postprocessing {}
}
