package dev.strata.trainer.importing;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSource;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a client sees of a network: the step before it, the step after it, and what they need.
///
/// @param assets file contents by tensor name (`asset.tokenizer`, `asset.charset`)
public record ModelInterface(
    Preprocessing preprocessing,
    Postprocessing postprocessing,
    List<String> labels,
    Map<String, byte[]> assets) {

  public ModelInterface {
    labels = List.copyOf(labels);
    assets = Map.copyOf(assets);
  }

  public static ModelInterface plain() {
    return new ModelInterface(
        new Preprocessing.None(), new Postprocessing.None(), List.of(), Map.of());
  }

  /// The client's inputs.
  List<TensorSpec> inputs(ModelGraph graph) {
    return switch (preprocessing) {
      case Preprocessing.None none -> graph.inputs();
      case Preprocessing.Text text -> List.of(bytes(text.input()));
      case Preprocessing.Image image ->
          switch (image.fit()) {
            case KEEP_RATIO -> List.of(bytes(image.input()));
            case STRETCH ->
                List.of(
                    new TensorSpec(
                        image.input(),
                        DataType.FP32,
                        Shape.of(-1, image.channels(), image.height(), image.width())));
          };
    };
  }

  /// An input as a client could send it, to learn the outputs' shapes from.
  Map<String, Tensor> example(ModelGraph graph) {
    return switch (preprocessing) {
      case Preprocessing.Text text ->
          Map.of(text.input(), Tensor.ofBytes(List.of("a".getBytes(StandardCharsets.UTF_8))));
      case Preprocessing.Image image ->
          Map.of(
              image.input(),
              zeros(
                  new TensorSpec(
                      image.input(),
                      DataType.FP32,
                      Shape.of(1, image.channels(), image.height(), image.width()))));
      case Preprocessing.None none -> {
        Map<String, Tensor> example = new LinkedHashMap<>();
        graph.inputs().forEach(spec -> example.put(spec.name(), zeros(spec)));
        yield example;
      }
    };
  }

  /// The client's outputs, given those of one sample: the first dimension is the batch's, and
  /// lengths that depend on the input are variable.
  List<TensorSpec> outputs(ModelGraph graph, Map<String, Tensor> example) {
    return example.entrySet().stream()
        .map(output -> new TensorSpec(output.getKey(), output.getValue().type(), shape(output)))
        .sorted(java.util.Comparator.comparing(TensorSpec::name))
        .toList();
  }

  private Shape shape(Map.Entry<String, Tensor> output) {
    long[] dims = output.getValue().shape().toArray();
    if (dims.length > 0) {
      dims[0] = Shape.VARIABLE;
    }
    return Shape.of(dims);
  }

  /// @param outputs empty while they are not known yet
  ModelDescription describe(
      String name,
      ModelGraph graph,
      List<TensorSpec> outputs,
      List<PrecisionProfile> profiles,
      Bits defaultBits,
      Map<String, String> provenance) {
    return new ModelDescription(
        name,
        inputs(graph),
        outputs,
        graph,
        preprocessing,
        postprocessing,
        labels,
        defaultBits,
        profiles,
        provenance);
  }

  TensorSource assetSource() {
    return name -> Optional.ofNullable(assets.get(name)).map(MemorySegment::ofArray);
  }

  private static TensorSpec bytes(String name) {
    return new TensorSpec(name, DataType.BYTES, Shape.of(-1));
  }

  private static Tensor zeros(TensorSpec spec) {
    long[] dims =
        spec.shape().dims().stream().mapToLong(dim -> dim == Shape.VARIABLE ? 1 : dim).toArray();
    Shape shape = Shape.of(dims);
    int count = Math.toIntExact(shape.elements());
    return spec.type() == DataType.INT64
        ? Tensor.of(shape, new long[count])
        : Tensor.of(shape, new float[count]);
  }
}
