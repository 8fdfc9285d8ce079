package dev.strata.trainer.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.strata.artifact.ModelArtifact;
import dev.strata.graph.Tensor;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import dev.strata.processing.ModelProcessing;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Latency of the layered sentence encoder against ONNX Runtime on the float file it came from, one
/// thread each, turn by turn in one process. Ours includes tokenizing and pooling, ONNX Runtime's
/// does not.
///
/// Arguments: artifact, ONNX file, rounds (default 50).
public final class MiniLmSpeedComparison {

  private static final String SENTENCE = "The quick brown fox jumps over the lazy dog. ";
  private static final List<Bits> WIDTHS = List.of(new Bits(8), new Bits(4), new Bits(2));
  private static final int WARM_UP = 10;

  private MiniLmSpeedComparison() {}

  public static void main(String[] arguments) throws IOException, OrtException {
    Path artifact = Path.of(arguments[0]);
    int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 50;
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      try (OrtSession reference = environment.createSession(arguments[1], options);
          LayeredModel model = LayeredModel.open(artifact);
          LayeredModel.Session session = model.newSession();
          ModelArtifact assets = ModelArtifact.open(artifact);
          ModelProcessing processing = ModelProcessing.of(model.description(), assets)) {
        for (int repeats : new int[] {1, 6, 12}) {
          byte[] text = SENTENCE.repeat(repeats).getBytes(StandardCharsets.UTF_8);
          Map<String, Tensor> inputs = Map.of("text", Tensor.ofBytes(List.of(text)));
          Map<String, Tensor> ids = processing.prepare(inputs).getFirst().graphInputs();
          Map<String, OnnxTensor> tensors = tensors(environment, ids);
          compare(rounds, reference, tensors, session, inputs, tokens(ids));
          tensors.values().forEach(OnnxTensor::close);
        }
      }
    }
  }

  private static void compare(
      int rounds,
      OrtSession reference,
      Map<String, OnnxTensor> tensors,
      LayeredModel.Session session,
      Map<String, Tensor> inputs,
      long tokens)
      throws OrtException {
    long[] referenceNanos = new long[rounds];
    long[][] nanos = new long[WIDTHS.size()][rounds];
    for (int round = -WARM_UP; round < rounds; round++) {
      long start = System.nanoTime();
      reference.run(tensors).close();
      long elapsed = System.nanoTime() - start;
      if (round >= 0) {
        referenceNanos[round] = elapsed;
      }
      for (int i = 0; i < WIDTHS.size(); i++) {
        start = System.nanoTime();
        session.predict(WIDTHS.get(i), inputs);
        elapsed = System.nanoTime() - start;
        if (round >= 0) {
          nanos[i][round] = elapsed;
        }
      }
    }
    System.out.printf("%3d tokens: ONNX Runtime fp32 %8.3f ms", tokens, median(referenceNanos));
    for (int i = 0; i < WIDTHS.size(); i++) {
      System.out.printf("   %s bits %8.3f ms", WIDTHS.get(i), median(nanos[i]));
    }
    System.out.println();
  }

  private static Map<String, OnnxTensor> tensors(
      OrtEnvironment environment, Map<String, Tensor> ids) throws OrtException {
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> one : ids.entrySet()) {
      tensors.put(
          one.getKey(),
          OnnxTensor.createTensor(
              environment,
              LongBuffer.wrap(one.getValue().toLongs()),
              one.getValue().shape().toArray()));
    }
    return tensors;
  }

  private static long tokens(Map<String, Tensor> ids) {
    return ids.values().iterator().next().shape().dim(1);
  }

  private static double median(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2] / 1e6;
  }
}
