package dev.strata.processing;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Texts to token ids: cut to the model's maximum, padded to the longest of the batch. Padding is
/// masked, so it does not change a result.
final class TextPreparation implements InputPreparation {

  /// A text longer than this cannot be meant for a sentence model; it is refused before it is
  /// tokenized.
  static final int MAX_TEXT_BYTES = 1 << 20;

  private final Preprocessing.Text text;
  private final Set<String> graphInputs;
  private final HuggingFaceTokenizer tokenizer;

  /// @param graphInputs the graph's input names; ids, mask or types it lacks are left out
  /// @param tokenizerJson a Hugging Face tokenizer.json
  TextPreparation(Preprocessing.Text text, Set<String> graphInputs, byte[] tokenizerJson) {
    this.text = text;
    this.graphInputs = graphInputs;
    Map<String, String> options =
        Map.of(
            "padding", "false",
            "truncation", "true",
            "maxLength", Integer.toString(text.maxTokens()));
    try {
      tokenizer =
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(tokenizerJson), options);
    } catch (IOException unreadable) {
      throw new IllegalArgumentException("tokenizer: cannot be read", unreadable);
    }
  }

  @Override
  public List<PreparedBatch> prepare(Map<String, Tensor> inputs) {
    List<byte[]> elements = InputChecks.elements(text.input(), inputs.get(text.input()));
    List<Encoding> encodings = new ArrayList<>(elements.size());
    for (int i = 0; i < elements.size(); i++) {
      encodings.add(tokenizer.encode(decode(elements.get(i), i)));
    }
    int longest = encodings.stream().mapToInt(one -> one.getIds().length).max().orElseThrow();
    if (longest == 0) {
      throw RejectedInputException.element(text.input(), 0, "got a text without tokens");
    }
    Map<String, Tensor> batch = new LinkedHashMap<>();
    put(batch, text.idsInput(), encodings, longest, Encoding::getIds);
    put(batch, text.maskInput(), encodings, longest, Encoding::getAttentionMask);
    put(batch, text.typesInput(), encodings, longest, Encoding::getTypeIds);
    return List.of(new PreparedBatch(batch, IntStream.range(0, elements.size()).boxed().toList()));
  }

  private void put(
      Map<String, Tensor> batch,
      String name,
      List<Encoding> encodings,
      int longest,
      Function<Encoding, long[]> part) {
    if (!graphInputs.contains(name)) {
      return;
    }
    long[] values = new long[encodings.size() * longest];
    for (int row = 0; row < encodings.size(); row++) {
      long[] one = part.apply(encodings.get(row));
      System.arraycopy(one, 0, values, row * longest, one.length);
    }
    batch.put(name, Tensor.of(Shape.of(encodings.size(), longest), values));
  }

  private String decode(byte[] utf8, int index) {
    if (utf8.length > MAX_TEXT_BYTES) {
      throw RejectedInputException.element(
          text.input(),
          index,
          "got %d bytes of text, expected at most %d".formatted(utf8.length, MAX_TEXT_BYTES));
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException malformed) {
      throw RejectedInputException.element(
          text.input(), index, "got %d bytes that are not UTF-8".formatted(utf8.length));
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
