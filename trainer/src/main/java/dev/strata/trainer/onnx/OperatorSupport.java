package dev.strata.trainer.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Finds what the import cannot do before anything is rewritten, so that one message tells all.
final class OperatorSupport implements Pass {
  private static final Set<String> REWRITTEN = Set.of("BatchNormalization");

  @Override
  public void run(Network network) {
    Set<String> known = Lowering.types();
    Map<String, List<String>> unknown = new TreeMap<>();
    List<String> problems = new ArrayList<>();
    for (OnnxNode node : network.nodes()) {
      if (!known.contains(node.type()) && !REWRITTEN.contains(node.type())) {
        unknown.computeIfAbsent(node.type(), type -> new ArrayList<>()).add(node.name());
      }
      String problem = attributeProblem(node, network);
      if (!problem.isEmpty()) {
        problems.add("%s '%s': %s".formatted(node.type(), node.name(), problem));
      }
    }
    unknown.forEach(
        (type, nodes) -> problems.add("%s at %s".formatted(type, String.join(", ", nodes))));
    report(problems);
  }

  static void report(List<String> problems) {
    if (!problems.isEmpty()) {
      throw new ModelImportException(
          "the network uses what the import does not support:\n  "
              + String.join("\n  ", problems));
    }
  }

  private static String attributeProblem(OnnxNode node, Network network) {
    Attributes attributes = node.attributes();
    return switch (node.type()) {
      case "BatchNormalization" -> attributes.flag("training_mode", false) ? "training_mode" : "";
      case "Dropout" -> dropout(node, network);
      case "MaxPool" ->
          isUsed(node, 1, network) || attributes.flag("storage_order", false)
              ? "its Indices output"
              : "";
      case "Resize" -> resize(attributes);
      case "Mod" -> attributes.flag("fmod", false) ? "fmod" : "";
      default -> "";
    };
  }

  private static String dropout(OnnxNode node, Network network) {
    boolean trains = node.optionalInput(2).isPresent() && !network.isScalar(node.input(2), 0);
    if (trains) {
      return "training_mode";
    }
    return isUsed(node, 1, network) ? "its mask output" : "";
  }

  private static boolean isUsed(OnnxNode node, int output, Network network) {
    return node.optionalOutput(output)
        .filter(name -> network.outputs().contains(name) || !network.users(name).isEmpty())
        .isPresent();
  }

  private static String resize(Attributes attributes) {
    if (attributes.flag("antialias", false)) {
      return "antialias";
    }
    String policy = attributes.text("keep_aspect_ratio_policy", "stretch");
    return policy.equals("stretch") ? "" : "keep_aspect_ratio_policy " + policy;
  }
}
