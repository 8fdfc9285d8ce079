package dev.strata.trainer.quantize;

import dev.strata.graph.Constant;
import dev.strata.graph.Layer;
import dev.strata.graph.MemoryTensors;
import dev.strata.graph.ModelGraph;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import dev.strata.precision.PrecisionProfile.LayerPrecision;
import dev.strata.trainer.onnx.FloatModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Makes a layered network of a float one: one set of codes whose prefixes serve every width.
///
/// Per layer: a parent grid over groups of columns ([GroupGrid]); codes, nearest or with error
/// compensation ([ErrorCompensation]); per width a scale and offset per row ([RowFitting]) and a
/// bias that keeps the mean of the output. With calibration data the fits minimise the error of
/// the layer's output instead of the weights', and convolutions get static input quantizers.
public final class LayeredQuantizer {
  private final FloatModel model;
  private final QuantizationSettings settings;
  private final QuantizationProgress progress;
  private final LayerRoles roles;
  private final Map<String, InputStatistics> inputs;
  private final Map<String, LayerQuantizer> layers = new LinkedHashMap<>();

  private LayeredQuantizer(
      FloatModel model,
      Map<String, InputStatistics> inputs,
      QuantizationSettings settings,
      QuantizationProgress progress) {
    this.model = model;
    this.inputs = inputs;
    this.settings = settings;
    this.progress = progress;
    roles = LayerRoles.of(model.graph());
  }

  public static LayeredNetwork quantize(
      FloatModel model, CalibrationData calibration, QuantizationSettings settings) {
    return quantize(model, calibration, settings, QuantizationProgress.SILENT);
  }

  /// @param model borrowed; all its layers have float storage
  /// @param calibration typical inputs, or none: then weights alone decide
  public static LayeredNetwork quantize(
      FloatModel model,
      CalibrationData calibration,
      QuantizationSettings settings,
      QuantizationProgress progress) {
    if (calibration.isEmpty()) {
      return new LayeredQuantizer(model, Map.of(), settings, progress).quantize(Optional.empty());
    }
    Calibrator calibrator = new Calibrator(calibration, settings.tuning(), progress);
    Map<String, InputStatistics> inputs = calibrator.observe(model.graph(), model.tensors());
    if (!settings.balancedInputs()) {
      return new LayeredQuantizer(model, inputs, settings, progress)
          .quantize(Optional.of(calibrator));
    }
    InputBalancing balancing = InputBalancing.of(model, inputs, settings.linearGroup());
    try (FloatModel balanced = balancing.apply()) {
      return new LayeredQuantizer(balanced, balancing.statistics(), settings, progress)
          .quantize(Optional.of(calibrator));
    }
  }

  private LayeredNetwork quantize(Optional<Calibrator> calibrator) {
    MemoryTensors tensors = new MemoryTensors();
    try {
      for (Constant constant : model.graph().constants()) {
        tensors.put(constant.name(), model.tensors().get(constant.name()));
      }
      quantizeLayers(tensors);
      LayeredNetwork network = new LayeredNetwork(layeredGraph(), tensors, profiles());
      calibrator.ifPresent(runs -> matchBiases(network, runs));
      return network;
    } catch (Throwable failure) {
      tensors.close();
      throw failure;
    }
  }

  /// Sets the biases of convolutions at the narrow widths so that each layer's mean output is
  /// the float network's, given the inputs that it gets at that width: what earlier layers did
  /// is corrected too. Layer by layer, since each bias moves all later inputs. Networks of
  /// linear layers normalise as they run and do not need it.
  private void matchBiases(LayeredNetwork network, Calibrator calibrator) {
    List<String> matched =
        roles.nodes().keySet().stream()
            .filter(name -> layers.get(name).layer().kind() == Layer.Kind.CONV)
            .filter(name -> !keptWide(layers.get(name).layer()))
            .toList();
    if (matched.isEmpty() || settings.matchedBits() == 0) {
      return;
    }
    Map<String, InputStatistics> wanted =
        calibrator.observeMeans(model.graph(), Optional.empty(), model.tensors(), matched);
    int done = 0;
    for (PrecisionProfile profile : network.profiles().subList(0, settings.matchedBits())) {
      for (String name : matched) {
        progress.advanced("matching biases", done++, settings.matchedBits() * matched.size());
        InputStatistics seen =
            calibrator
                .observeMeans(
                    network.graph(), Optional.of(profile), network.tensors(), List.of(name))
                .get(name);
        LayerQuantizer layer = layers.get(name);
        float[] bias = layer.matchedBias(profile.bits(), wanted.get(name), seen);
        layer.putTable(network.tensors(), profile.bits(), bias);
      }
    }
  }

  private void quantizeLayers(MemoryTensors tensors) {
    int total = model.graph().layers().size();
    for (Layer layer : model.graph().layers()) {
      progress.advanced("quantizing " + layer.name(), layers.size(), total);
      Set<Bits> widths = widths(layer);
      LayerQuantizer quantized =
          LayerQuantizer.of(
              stored(layer),
              floats(model.tensors().get(layer.name() + ".weight")),
              model
                  .tensors()
                  .find(layer.name() + ".bias")
                  .map(LayeredQuantizer::floats)
                  .orElseGet(() -> new float[layer.layout().rows()]),
              Optional.ofNullable(inputs.get(layer.name())),
              widths,
              settings);
      quantized.putWeights(tensors);
      if (inputQuantizer(layer) instanceof ActivationQuantizer.PerChannel) {
        tensors.put(PlaneNames.input(layer.name()), channels(inputs.get(layer.name())));
      }
      for (Bits width : widths) {
        quantized.putTable(tensors, width, quantized.correctedBias(width));
      }
      layers.put(layer.name(), quantized);
    }
    progress.advanced("quantized", total, total);
  }

  private boolean keptWide(Layer layer) {
    return settings.keptWideLayers().contains(layer.name())
        || roles.roles(layer).stream().anyMatch(settings.keptWide()::contains);
  }

  private Set<Bits> widths(Layer layer) {
    return keptWide(layer) ? Set.of(new Bits(Bits.MAX)) : new TreeSet<>(Bits.all());
  }

  private Layer stored(Layer layer) {
    PlaneLayout floats = layer.layout();
    int group =
        switch (layer.kind()) {
          case LINEAR, EMBEDDING -> settings.linearGroup();
          case CONV -> settings.convolutionGroup();
          case DEPTHWISE -> QuantizationSettings.WHOLE_ROW;
        };
    PlaneLayout whole =
        PlaneLayout.perChannel(floats.rows(), floats.columns(), floats.submatrices());
    PlaneLayout layout =
        group == QuantizationSettings.WHOLE_ROW || group >= whole.groupSize()
            ? whole
            : new PlaneLayout(floats.rows(), floats.columns(), group, floats.submatrices());
    return new Layer(layer.name(), layer.kind(), Layer.Storage.PLANES, layout);
  }

  private ModelGraph layeredGraph() {
    ModelGraph graph = model.graph();
    return new ModelGraph(
        graph.inputs(),
        graph.outputs(),
        graph.nodes(),
        graph.constants(),
        layers.values().stream().map(LayerQuantizer::layer).toList());
  }

  private List<PrecisionProfile> profiles() {
    Map<String, ActivationQuantizer> quantizers = new LinkedHashMap<>();
    for (Layer layer : model.graph().layers()) {
      quantizers.put(layer.name(), inputQuantizer(layer));
    }
    List<PrecisionProfile> profiles = new ArrayList<>();
    for (Bits bits : Bits.all()) {
      Map<String, LayerPrecision> layers = new TreeMap<>();
      for (Layer layer : model.graph().layers()) {
        Bits planes = keptWide(layer) ? new Bits(Bits.MAX) : bits;
        layers.put(layer.name(), new LayerPrecision(planes, quantizers.get(layer.name())));
      }
      profiles.add(new PrecisionProfile(bits, layers, Map.of()));
    }
    return profiles;
  }

  private ActivationQuantizer inputQuantizer(Layer layer) {
    return switch (layer.kind()) {
      case LINEAR, EMBEDDING -> new ActivationQuantizer.PerGroup();
      case CONV ->
          inputs.containsKey(layer.name())
              ? range(inputs.get(layer.name()).ranges().getFirst())
              : new ActivationQuantizer.PerSample();
      case DEPTHWISE ->
          inputs.containsKey(layer.name())
              ? new ActivationQuantizer.PerChannel()
              : new ActivationQuantizer.PerSample();
    };
  }

  private ActivationQuantizer.PerTensor range(ValueHistogram seen) {
    return ActivationRange.of(seen, settings.rangeRule());
  }

  /// Scales, then zero points.
  private float[] channels(InputStatistics input) {
    List<ActivationQuantizer.PerTensor> ranges = input.ranges().stream().map(this::range).toList();
    float[] channels = new float[2 * ranges.size()];
    for (int channel = 0; channel < ranges.size(); channel++) {
      channels[channel] = ranges.get(channel).scale();
      channels[ranges.size() + channel] = ranges.get(channel).zeroPoint();
    }
    return channels;
  }

  private static float[] floats(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_FLOAT);
  }
}
