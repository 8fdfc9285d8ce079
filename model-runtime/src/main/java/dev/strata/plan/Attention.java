package dev.strata.plan;

import dev.strata.graph.ModelGraph;
import dev.strata.graph.Node;
import dev.strata.graph.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Nodes that are scaled dot-product attention together: a product of queries and keys, a division
/// or multiplication by a number, the addition of a mask (both optional), softmax, the product with
/// the values and, where it follows, the transposition that brings the heads side by side.
///
/// @param nodes all of them, in order
/// @param queries value `[N, heads, queries, depth]`
/// @param keys value `[N, heads, depth, keys]`
/// @param scale value of one element
/// @param divides whether scores are divided by the scale, else multiplied
/// @param mask value that broadcasts to the scores
/// @param values value `[N, heads, keys, depth]`
/// @param joined whether the result is `[N, queries, heads, depth]`
record Attention(
    List<Node> nodes,
    String queries,
    String keys,
    Optional<String> scale,
    boolean divides,
    Optional<String> mask,
    String values,
    boolean joined) {
  private static final List<Integer> HEADS_TO_COLUMNS = List.of(0, 2, 1, 3);

  Node last() {
    return nodes.getLast();
  }

  /// All places of a graph where attention may be; shapes and strides are known only when it is
  /// bound. Keyed by each of their nodes.
  static Map<Node, Attention> in(ModelGraph graph, GraphUses uses) {
    Map<Node, Attention> found = new HashMap<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.MatMul && !found.containsKey(node)) {
        new Walk(uses, node)
            .attention()
            .ifPresent(match -> match.nodes().forEach(one -> found.put(one, match)));
      }
    }
    return found;
  }

  /// Follows the only reader of each value, from the scores on.
  private static final class Walk {
    private final GraphUses uses;
    private final List<Node> nodes = new ArrayList<>();

    Walk(GraphUses uses, Node scores) {
      this.uses = uses;
      nodes.add(scores);
    }

    private Optional<GraphUses.Use> next() {
      return uses.only(nodes.getLast().outputs().getFirst());
    }

    /// Steps over the next node if it is this arithmetic; gives its other operand.
    private Optional<String> other(Op.Binary.Function... kinds) {
      Optional<GraphUses.Use> use = next();
      if (use.isEmpty() || !(use.get().node().op() instanceof Op.Binary(var kind))) {
        return Optional.empty();
      }
      boolean fits = List.of(kinds).contains(kind);
      if (!fits || (kind == Op.Binary.Function.DIV && use.get().operand() != 0)) {
        return Optional.empty();
      }
      Node node = use.get().node();
      nodes.add(node);
      return Optional.of(node.inputs().get(1 - use.get().operand()));
    }

    Optional<Attention> attention() {
      Node scores = nodes.getFirst();
      Optional<String> scale = other(Op.Binary.Function.DIV, Op.Binary.Function.MUL);
      boolean divides =
          nodes.getLast().op() instanceof Op.Binary(var kind) && kind == Op.Binary.Function.DIV;
      Optional<String> mask = other(Op.Binary.Function.ADD);
      Optional<GraphUses.Use> softmax = next();
      if (softmax.isEmpty()
          || !(softmax.get().node().op() instanceof Op.Softmax(int axis))
          || (axis != -1 && axis != 3)) {
        return Optional.empty();
      }
      nodes.add(softmax.get().node());
      Optional<GraphUses.Use> product = next();
      if (product.isEmpty()
          || !(product.get().node().op() instanceof Op.MatMul)
          || product.get().operand() != 0) {
        return Optional.empty();
      }
      nodes.add(product.get().node());
      Optional<GraphUses.Use> joint = next();
      boolean joined =
          joint.isPresent()
              && joint.get().node().op() instanceof Op.Transpose(var permutation)
              && permutation.equals(HEADS_TO_COLUMNS);
      if (joined) {
        nodes.add(joint.get().node());
      }
      return Optional.of(
          new Attention(
              List.copyOf(nodes),
              scores.inputs().get(0),
              scores.inputs().get(1),
              scale,
              divides,
              mask,
              product.get().node().inputs().get(1),
              joined));
    }
  }
}
