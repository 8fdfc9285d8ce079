package dev.strata.trainer.eval;

import dev.strata.graph.ModelDescription;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.plan.ExecutionContext;
import dev.strata.plan.Planner;
import dev.strata.processing.ModelProcessing;
import dev.strata.processing.PreparedBatch;
import dev.strata.trainer.onnx.FloatModel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The float network behind the same processing as the layered one: what every precision is
/// measured against. For one thread.
public final class FloatReference implements AutoCloseable {

  private final Arena arena = Arena.ofShared();
  private final ModelProcessing processing;
  private final ExecutionContext context;

  /// @param model borrowed until this is closed
  /// @param description of the model as clients see it; its graph may be the layered one
  /// @param assets where the description's assets are
  public FloatReference(FloatModel model, ModelDescription description, TensorSource assets) {
    try {
      processing = ModelProcessing.of(description, assets);
      context = Planner.plan(model.graph(), Optional.empty(), model.tensors(), arena).newContext();
    } catch (Throwable failure) {
      arena.close();
      throw failure;
    }
  }

  /// Client inputs to graph inputs, as the model's description says.
  public ModelProcessing processing() {
    return processing;
  }

  public Map<String, Tensor> predict(Map<String, Tensor> inputs) {
    List<PreparedBatch> batches = processing.prepare(inputs);
    List<Map<String, Tensor>> outputs = new ArrayList<>(batches.size());
    for (PreparedBatch batch : batches) {
      outputs.add(context.run(batch.graphInputs()));
    }
    return processing.finish(batches, outputs);
  }

  @Override
  public void close() {
    context.close();
    processing.close();
    arena.close();
  }
}
