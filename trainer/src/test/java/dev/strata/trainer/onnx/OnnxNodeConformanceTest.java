package dev.strata.trainer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.strata.graph.Tensor;
import dev.strata.onnx.ModelProto;
import dev.strata.onnx.TensorProto;
import dev.strata.onnx.ValueInfoProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Runs the node cases that the ONNX project publishes with its expected outputs (Debian:
/// libonnx-testdata). What is left out is left out by a rule in [ConformanceScope].
class OnnxNodeConformanceTest {
  private static final Path CASES =
      Path.of(
          System.getProperty(
              "strata.onnx.cases", "/usr/lib/python3/dist-packages/onnx/backend/test/data/node"));
  private static final double TOLERANCE = 1e-4;

  @Test
  void everyNodeCaseInScopeGivesTheExpectedOutputs() throws IOException {
    assumeTrue(
        Files.isDirectory(CASES),
        "no ONNX node cases in %s: install libonnx-testdata or set strata.onnx.cases"
            .formatted(CASES));
    List<Path> cases;
    try (Stream<Path> found = Files.list(CASES)) {
      cases = found.filter(path -> Files.exists(path.resolve("model.onnx"))).sorted().toList();
    }
    int passed = 0;
    Map<String, String> failures = new TreeMap<>();
    Map<String, List<String>> outOfScope = new TreeMap<>();
    for (Path folder : cases) {
      String name = folder.getFileName().toString();
      ModelProto model = model(folder);
      Optional<String> reason = ConformanceScope.exclusion(name, model);
      if (reason.isPresent()) {
        outOfScope.computeIfAbsent(reason.get(), rule -> new ArrayList<>()).add(name);
        continue;
      }
      try {
        run(folder, model);
        passed++;
      } catch (RuntimeException | AssertionError failure) {
        failures.put(name, failure.toString());
      }
    }
    int left = outOfScope.values().stream().mapToInt(List::size).sum();
    System.out.printf(
        "ONNX node tests: %d passed, %d failed, %d out of scope%n", passed, failures.size(), left);
    outOfScope.forEach(
        (rule, names) -> System.out.printf("  out of scope, %s: %d%n", rule, names.size()));
    assertEquals(Map.of(), failures);
    assertTrue(passed > 0, "no case ran");
  }

  private static ModelProto model(Path folder) throws IOException {
    try (InputStream in = Files.newInputStream(folder.resolve("model.onnx"))) {
      return ModelProto.parseFrom(in);
    }
  }

  private static void run(Path folder, ModelProto model) throws IOException {
    List<Path> sets;
    try (Stream<Path> found = Files.list(folder)) {
      sets = found.filter(path -> path.getFileName().toString().startsWith("test_data")).toList();
    }
    for (Path set : sets) {
      Map<String, Tensor> inputs = tensors(set, "input", model.getGraph().getInputList());
      Map<String, Tensor> expected = tensors(set, "output", model.getGraph().getOutputList());
      Set<String> bound = ConformanceScope.constantInputs(model);
      try (FloatModel imported = OnnxImporter.read(bind(model, bound, inputs))) {
        Map<String, Tensor> rest = new LinkedHashMap<>(inputs);
        rest.keySet().removeAll(bound);
        Map<String, Tensor> got = Runs.ours(imported, List.of(rest)).getFirst();
        expected.forEach(
            (output, tensor) ->
                Runs.assertClose(
                    folder.getFileName() + " " + output, tensor, got.get(output), TOLERANCE));
      }
    }
  }

  private static Map<String, Tensor> tensors(Path set, String kind, List<ValueInfoProto> values)
      throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < values.size(); i++) {
      try (InputStream in = Files.newInputStream(set.resolve(kind + "_" + i + ".pb"))) {
        tensors.put(values.get(i).getName(), TensorDecoder.decode(TensorProto.parseFrom(in)));
      }
    }
    return tensors;
  }

  /// Weights, axes and shapes are constants in real networks and in ours, yet inputs in these
  /// cases.
  private static ModelProto bind(ModelProto model, Set<String> bound, Map<String, Tensor> inputs) {
    ModelProto.Builder result = model.toBuilder();
    bound.forEach(
        name ->
            result
                .getGraphBuilder()
                .addInitializer(ModelBuilder.proto(inputs.get(name)).toBuilder().setName(name)));
    // Some cases keep the opset in which their operator last changed.
    result
        .getOpsetImportBuilderList()
        .forEach(set -> set.setVersion(Math.max(set.getVersion(), NetworkDecoder.OLDEST_OPSET)));
    return result.build();
  }
}
