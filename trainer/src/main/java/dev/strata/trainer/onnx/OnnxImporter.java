package dev.strata.trainer.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.strata.graph.Constant;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Tensor;
import dev.strata.onnx.ModelProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// ONNX files to float models.
public final class OnnxImporter {
  private static final List<Pass> PASSES =
      List.of(
          new OperatorSupport(),
          new IdentityRemoval(),
          new ConstantPropagation(),
          new ReshapeSimplification(),
          new FullyConnectedFusion(),
          new ChannelwiseFusion(),
          new BatchNormalizationFolding(),
          new ChannelwiseFusion(),
          new LayerNormalizationFusion(),
          new ActivationFusion(),
          new DeadCode());

  private OnnxImporter() {}

  /// @param file a network with opset 11 to 21 and its data inside
  /// @return the network with 32-bit float layers; the caller closes it
  /// @throws ModelImportException if the file is no such network, or uses what is not supported
  /// @throws IOException if it cannot be read
  public static FloatModel read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return read(ModelProto.parseFrom(in));
    } catch (InvalidProtocolBufferException broken) {
      throw new ModelImportException("%s is not an ONNX file".formatted(file), broken);
    } catch (ModelImportException problem) {
      throw new ModelImportException("%s: %s".formatted(file, problem.getMessage()), problem);
    }
  }

  static FloatModel read(ModelProto model) {
    Network network = NetworkDecoder.decode(model);
    PASSES.forEach(pass -> pass.run(network));
    return finish(EpilogueFusion.apply(Lowering.lower(network)));
  }

  private static FloatModel finish(Draft draft) {
    List<Node> nodes = needed(draft);
    Set<String> read =
        Stream.concat(
                nodes.stream().flatMap(node -> node.inputs().stream()), draft.outputs().stream())
            .collect(Collectors.toSet());
    MemoryTensors tensors = new MemoryTensors();
    List<Constant> constants =
        draft.constants().entrySet().stream()
            .filter(entry -> read.contains(entry.getKey()))
            .map(entry -> store(tensors, entry))
            .toList();
    draft.weights().forEach((name, tensor) -> tensors.put(name, tensor.data()));
    return new FloatModel(
        new ModelGraph(
            draft.inputs(),
            draft.outputs(),
            nodes,
            constants,
            List.copyOf(draft.layers().values())),
        tensors);
  }

  private static Constant store(MemoryTensors tensors, Map.Entry<String, Tensor> entry) {
    Tensor tensor = entry.getValue();
    tensors.put(entry.getKey(), tensor.data());
    return new Constant(entry.getKey(), tensor.type(), tensor.shape());
  }

  /// Nodes that an output depends on, in order.
  private static List<Node> needed(Draft draft) {
    Set<String> wanted = new HashSet<>(draft.outputs());
    List<Node> kept = new ArrayList<>();
    for (Node node : draft.nodes().reversed()) {
      if (node.outputs().stream().anyMatch(wanted::contains)) {
        wanted.addAll(node.inputs());
        kept.addFirst(node);
      }
    }
    return kept;
  }
}
