package dev.strata.graph;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/// How a client's inputs become the graph's inputs. Data only; `processing` does the work.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Preprocessing.None.class, name = "none"),
  @JsonSubTypes.Type(value = Preprocessing.Text.class, name = "text"),
  @JsonSubTypes.Type(value = Preprocessing.Image.class, name = "image")
})
public sealed interface Preprocessing {

  /// Client inputs are graph inputs.
  record None() implements Preprocessing {}

  /// One BYTES input `[-1]` of UTF-8 text. The tokenizer is the artifact's UINT8 tensor
  /// `asset.tokenizer` (a Hugging Face tokenizer.json). Graph inputs that the graph does not have
  /// are left out.
  record Text(String input, int maxTokens, String idsInput, String maskInput, String typesInput)
      implements Preprocessing {}

  /// One input, either BYTES `[-1]` of PNG or JPEG files or FP32 `[-1, channels, height, width]` in
  /// 0..1, to the graph's NCHW input `(value - mean) / std` per channel.
  ///
  /// @param channels 1 (grey) or 3 (channelOrder)
  /// @param channelOrder "RGB" or "BGR"
  /// @param height target height
  /// @param width target width; with KEEP_RATIO the minimum width
  /// @param maxWidth with KEEP_RATIO: the maximum width; else equal to width
  record Image(
      String input,
      String graphInput,
      int channels,
      String channelOrder,
      int height,
      int width,
      int maxWidth,
      Fit fit,
      List<Float> mean,
      List<Float> std)
      implements Preprocessing {
    public enum Fit {
      /// Scale to exactly width x height.
      STRETCH,
      /// Scale to the height, keep the ratio, pad on the right with zeros (after normalisation) to
      /// a multiple of 32 between width and maxWidth.
      KEEP_RATIO
    }
  }
}
