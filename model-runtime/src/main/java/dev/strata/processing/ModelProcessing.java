package dev.strata.processing;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.graph.TensorSpec;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Both sides of one model: [#prepare] before its plan runs, [#finish] after. Safe for use by many
/// threads.
public final class ModelProcessing implements AutoCloseable {

  public static final String TOKENIZER = "asset.tokenizer";
  public static final String CHARSET = "asset.charset";

  private final List<TensorSpec> inputs;
  private final InputPreparation preparation;
  private final OutputFinishing finishing;
  private final BatchMerging merging;

  private ModelProcessing(
      List<TensorSpec> inputs,
      InputPreparation preparation,
      OutputFinishing finishing,
      BatchMerging merging) {
    this.inputs = inputs;
    this.preparation = preparation;
    this.finishing = finishing;
    this.merging = merging;
  }

  /// @param tensors where the assets are; they are copied, the source may close afterwards
  /// @throws IllegalArgumentException if an asset is missing or unusable
  public static ModelProcessing of(ModelDescription description, TensorSource tensors) {
    OutputFinishing finishing = finishing(description, tensors);
    return new ModelProcessing(
        description.inputs(),
        preparation(description, tensors),
        finishing,
        BatchMerging.of(description));
  }

  /// @param inputs client inputs by name
  /// @throws RejectedInputException naming the input, what was got and what was expected
  public List<PreparedBatch> prepare(Map<String, Tensor> inputs) {
    InputChecks.requireNames(this.inputs, inputs);
    return preparation.prepare(inputs);
  }

  /// Puts the batches of several calls together where that cannot change an answer.
  ///
  /// @param calls for each call its batches, as [#prepare] made them
  /// @param pad whether texts may be padded to the longest among them
  public List<MergedBatch> merge(List<List<PreparedBatch>> calls, boolean pad) {
    return merging.merge(calls, pad);
  }

  /// @param batches as [#prepare] or [#merge] made them
  /// @param graphOutputs the graph's outputs, one map per batch
  /// @return client outputs, rows in the order of the client's elements
  public Map<String, Tensor> finish(
      List<PreparedBatch> batches, List<Map<String, Tensor>> graphOutputs) {
    List<Map<String, Tensor>> finished = new ArrayList<>(batches.size());
    for (int i = 0; i < batches.size(); i++) {
      finished.add(finishing.finish(batches.get(i), graphOutputs.get(i)));
    }
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (String name : finished.getFirst().keySet()) {
      List<Tensor> parts = finished.stream().map(part -> part.get(name)).toList();
      outputs.put(name, RowJoin.join(name, batches, parts));
    }
    return outputs;
  }

  @Override
  public void close() {
    preparation.close();
  }

  private static InputPreparation preparation(ModelDescription description, TensorSource tensors) {
    return switch (description.preprocessing()) {
      case Preprocessing.None none -> new UnchangedInputs(description.inputs());
      case Preprocessing.Image image -> new ImagePreparation(image);
      case Preprocessing.Text text ->
          new TextPreparation(
              text,
              description.graph().inputs().stream()
                  .map(TensorSpec::name)
                  .collect(Collectors.toSet()),
              bytes(tensors, TOKENIZER));
    };
  }

  private static OutputFinishing finishing(ModelDescription description, TensorSource tensors) {
    return switch (description.postprocessing()) {
      case Postprocessing.None none -> new UnchangedOutputs();
      case Postprocessing.Softmax softmax -> new SoftmaxFinishing(softmax);
      case Postprocessing.MeanPool pool -> new MeanPooling(pool, mask(description));
      case Postprocessing.Label label -> new LabelChoice(label, description.labels());
      case Postprocessing.Ctc ctc -> GreedyCtc.of(ctc, bytes(tensors, CHARSET));
    };
  }

  private static Optional<String> mask(ModelDescription description) {
    return description.preprocessing() instanceof Preprocessing.Text text
        ? Optional.of(text.maskInput())
        : Optional.empty();
  }

  private static byte[] bytes(TensorSource tensors, String name) {
    return tensors.get(name).toArray(ValueLayout.JAVA_BYTE);
  }
}
