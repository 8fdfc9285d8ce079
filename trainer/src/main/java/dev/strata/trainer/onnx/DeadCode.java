package dev.strata.trainer.onnx;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Removes nodes and constants that no output depends on.
final class DeadCode implements Pass {
  @Override
  public void run(Network network) {
    Set<String> needed = new HashSet<>(network.outputs());
    List<OnnxNode> nodes = network.nodes();
    for (OnnxNode node : nodes.reversed()) {
      if (node.outputs().stream().anyMatch(needed::contains)) {
        needed.addAll(node.inputs());
      } else {
        network.remove(node);
      }
    }
    network.keepConstants(needed);
  }
}
