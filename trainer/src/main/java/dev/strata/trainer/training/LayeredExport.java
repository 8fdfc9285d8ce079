package dev.strata.trainer.training;

import dev.strata.artifact.ArtifactWriter;
import dev.strata.graph.Constant;
import dev.strata.graph.DataType;
import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Node;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PrecisionProfile;
import dev.strata.precision.PrecisionProfile.LayerPrecision;
import dev.strata.trainer.quantize.CascadeWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Writes a trained network as a layered artifact: the cascade of its float weights, batch norms
/// folded into the tables, input steps into the profiles. Widths that were not trained take over
/// norms and ranges from the next wider trained one, or the widest.
final class LayeredExport {
  private final TrainedNetwork network;
  private final TrainingData data;

  LayeredExport(TrainedNetwork network, TrainingData data) {
    this.network = network;
    this.data = data;
  }

  void write(Path target, Map<String, String> provenance) throws IOException {
    try (MemoryTensors tensors = new MemoryTensors()) {
      for (Layer layer : network.graph().layers()) {
        Set<Bits> planes =
            network.isKeptWide(layer) ? Set.of(new Bits(Bits.MAX)) : new TreeSet<>(Bits.all());
        float[] weights = network.state().get(TrainedNetwork.weight(layer));
        CascadeWeights cascade = CascadeWeights.of(layer, weights, planes);
        cascade.putPlanes(tensors);
        planes.forEach(bits -> putTable(cascade, layer, bits, tensors));
      }
      for (Constant constant : network.graph().constants()) {
        Tensor value = network.constant(constant.name());
        tensors.put(constant.name(), value.data());
      }
      ArtifactWriter.write(target, description(provenance), tensors);
    }
  }

  private void putTable(CascadeWeights cascade, Layer layer, Bits bits, MemoryTensors tensors) {
    int planes = network.planes(layer, trained(bits.count()));
    int rows = layer.layout().rows();
    float[] factor = new float[rows];
    float[] bias = new float[rows];
    if (network.isNormed(layer)) {
      float[] gamma = norm(layer, planes, "gamma");
      float[] beta = norm(layer, planes, "beta");
      float[] mean = norm(layer, planes, "mean");
      float[] variance = norm(layer, planes, "var");
      for (int row = 0; row < rows; row++) {
        double scale = gamma[row] / Math.sqrt((double) variance[row] + TrainedNetwork.EPSILON);
        factor[row] = (float) scale;
        bias[row] = (float) (beta[row] - scale * mean[row]);
      }
    } else {
      if (network.isScaled(layer)) {
        factor = network.state().get(TrainedNetwork.gain(layer, planes));
      } else {
        Arrays.fill(factor, 1);
      }
      bias = network.state().get(TrainedNetwork.bias(layer, planes));
    }
    cascade.putTable(tensors, bits, factor, bias);
  }

  private float[] norm(Layer layer, int planes, String what) {
    return network.state().get(TrainedNetwork.norm(layer, planes, what));
  }

  /// The trained width whose norms and ranges a width uses.
  private int trained(int width) {
    if (network.run().method() == RunFile.Method.FP32) {
      return TrainedNetwork.FLOATS;
    }
    List<Integer> widths = network.run().widths();
    return widths.stream()
        .filter(candidate -> candidate >= width)
        .min(Integer::compare)
        .orElse(widths.getFirst());
  }

  private ModelDescription description(Map<String, String> provenance) {
    Images images = data.train();
    Preprocessing.Image image =
        new Preprocessing.Image(
            "image",
            Architecture.INPUT,
            images.channels(),
            "RGB",
            images.height(),
            images.width(),
            images.width(),
            Preprocessing.Image.Fit.STRETCH,
            Collections.nCopies(images.channels(), 0f),
            Collections.nCopies(images.channels(), 1f));
    Shape input = Shape.of(-1, images.channels(), images.height(), images.width());
    List<PrecisionProfile> profiles = new ArrayList<>();
    for (Bits bits : Bits.all()) {
      profiles.add(profile(bits));
    }
    return new ModelDescription(
        network.run().name(),
        List.of(new TensorSpec("image", DataType.FP32, input)),
        List.of(new TensorSpec("probabilities", DataType.FP32, Shape.of(-1, data.classes()))),
        network.graph(),
        image,
        new Postprocessing.Softmax(Architecture.LOGITS, "probabilities"),
        data.labels(),
        new Bits(Bits.MAX),
        profiles,
        provenance);
  }

  private PrecisionProfile profile(Bits bits) {
    Map<String, LayerPrecision> layers = new HashMap<>();
    for (Node node : network.graph().nodes()) {
      network
          .layer(node)
          .ifPresent(
              layer -> {
                Bits planes = network.isKeptWide(layer) ? new Bits(Bits.MAX) : bits;
                layers.put(
                    layer.name(),
                    new LayerPrecision(planes, quantizer(layer, node.inputs().getFirst(), bits)));
              });
    }
    return new PrecisionProfile(bits, layers, Map.of());
  }

  private ActivationQuantizer quantizer(Layer layer, String value, Bits bits) {
    int wanted = network.inputBits(layer, value, bits.count());
    if (network.isPixels(value)) {
      return codes(value, wanted, TrainedNetwork.PIXEL_STEP);
    }
    int trained = trained(bits.count());
    int trainedBits =
        trained == TrainedNetwork.FLOATS ? Bits.MAX : network.inputBits(layer, value, trained);
    float step = network.state().get(TrainedNetwork.step(value, trained, trainedBits))[0];
    double range = step * (double) ((1 << trainedBits) - 1);
    return codes(
        value, wanted, wanted == trainedBits ? step : (float) (range / ((1 << wanted) - 1)));
  }

  /// 8-bit codes are signed in the artifact.
  private ActivationQuantizer.PerTensor codes(String value, int bits, float step) {
    int first = bits == Bits.MAX ? Byte.MIN_VALUE : 0;
    return new ActivationQuantizer.PerTensor(bits, step, network.zero(value, bits) + first);
  }
}
