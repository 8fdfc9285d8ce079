package dev.strata.artifact;

import dev.strata.graph.Constant;
import dev.strata.graph.Layer;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.Bits;
import dev.strata.precision.PlaneLayout;
import dev.strata.precision.PlaneNames;
import dev.strata.precision.PrecisionProfile;
import dev.strata.precision.PrecisionProfile.LayerPrecision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// Which tensors an artifact of a model has, in which section and order, padding aside. The one
/// home of the prefix rule: the writer follows this plan and the reader holds the file against it.
///
/// @param sections section 0 and one section for each profile
record TensorPlan(List<List<Entry>> sections) {

  static final String TOKENIZER = "asset.tokenizer";
  static final String CHARSET = "asset.charset";

  /// One tensor to come. An empty shape dimension list is a scalar; an asset's length is only known
  /// from its data, so its shape is `[-1]`.
  record Entry(String name, StoredType type, Shape shape) {
    boolean fits(StoredType otherType, Shape otherShape) {
      return type == otherType && shape.accepts(otherShape) && otherShape.isStatic();
    }

    @Override
    public String toString() {
      return "tensor '%s' %s %s".formatted(name, type, shape);
    }
  }

  /// Plans a model's tensors.
  ///
  /// @param exists whether an optional tensor (a float layer's bias, an asset) is there
  /// @throws IllegalArgumentException if profiles, layers or constants contradict one another
  /// @throws ArithmeticException if a size does not fit in a long
  static TensorPlan of(ModelDescription description, Predicate<String> exists) {
    checkProfiles(description);
    List<List<Entry>> sections = new ArrayList<>();
    sections.add(shared(description, exists));
    for (int index = 0; index < description.profiles().size(); index++) {
      sections.add(planes(description, index));
    }
    checkNames(sections);
    return new TensorPlan(List.copyOf(sections));
  }

  private static List<Entry> shared(ModelDescription description, Predicate<String> exists) {
    List<Entry> entries = new ArrayList<>();
    for (Constant constant : description.graph().constants()) {
      if (!constant.shape().isStatic()) {
        throw new IllegalArgumentException(
            "constant '%s': got shape %s, expected a static one"
                .formatted(constant.name(), constant.shape()));
      }
      entries.add(new Entry(constant.name(), StoredType.of(constant.type()), constant.shape()));
    }
    for (Layer layer : description.graph().layers()) {
      PlaneLayout layout = layer.layout();
      switch (layer.storage()) {
        case PLANES -> {
          entries.add(
              new Entry(
                  PlaneNames.groups(layer.name()),
                  StoredType.U8,
                  Shape.of(layout.panels(), layout.groups(), 2, PlaneLayout.PANEL_ROWS)));
          if (isPerChannel(description.profiles().getFirst(), layer.name())) {
            entries.add(
                new Entry(
                    PlaneNames.input(layer.name()), StoredType.F32, Shape.of(2, layout.rows())));
          }
        }
        case FLOAT -> {
          String bias = layer.name() + ".bias";
          entries.add(
              new Entry(
                  layer.name() + ".weight",
                  StoredType.F32,
                  Shape.of(layout.rows(), layout.columns())));
          if (exists.test(bias)) {
            entries.add(new Entry(bias, StoredType.F32, Shape.of(layout.rows())));
          }
        }
      }
    }
    if (description.preprocessing() instanceof Preprocessing.Text || exists.test(TOKENIZER)) {
      entries.add(new Entry(TOKENIZER, StoredType.U8, Shape.of(Shape.VARIABLE)));
    }
    if (description.postprocessing() instanceof Postprocessing.Ctc || exists.test(CHARSET)) {
      entries.add(new Entry(CHARSET, StoredType.U8, Shape.of(Shape.VARIABLE)));
    }
    return List.copyOf(entries);
  }

  private static boolean isPerChannel(PrecisionProfile profile, String layer) {
    return profile.layer(layer).input() instanceof ActivationQuantizer.PerChannel;
  }

  /// The planes that a profile reads and the one before it did not, and the table that goes with
  /// them.
  private static List<Entry> planes(ModelDescription description, int index) {
    PrecisionProfile profile = description.profiles().get(index);
    List<Entry> entries = new ArrayList<>();
    for (Layer layer : description.graph().layers()) {
      if (layer.storage() == Layer.Storage.FLOAT) {
        continue;
      }
      PlaneLayout layout = layer.layout();
      Bits planes = profile.layer(layer.name()).planes();
      int before =
          index == 0
              ? 0
              : description.profiles().get(index - 1).layer(layer.name()).planes().count();
      for (int plane = before; plane < planes.count(); plane++) {
        entries.add(
            new Entry(
                PlaneNames.plane(layer.name(), plane),
                StoredType.U8,
                Shape.of(layout.planeBytes())));
      }
      if (planes.count() > before) {
        entries.add(
            new Entry(
                PlaneNames.table(layer.name(), planes),
                StoredType.F32,
                Shape.of(3, layout.paddedRows())));
      }
    }
    return List.copyOf(entries);
  }

  private static void checkProfiles(ModelDescription description) {
    List<PrecisionProfile> profiles = description.profiles();
    if (profiles.isEmpty()) {
      throw new IllegalArgumentException("profiles: got none, expected at least that of 1 bit");
    }
    Set<String> layers = new HashSet<>();
    for (Layer layer : description.graph().layers()) {
      if (layer.storage() == Layer.Storage.PLANES) {
        layers.add(layer.name());
      }
    }
    for (int index = 0; index < profiles.size(); index++) {
      PrecisionProfile profile = profiles.get(index);
      if (profile.bits().count() != index + 1) {
        throw new IllegalArgumentException(
            "profiles[%d]: got %s bits, expected %d: widths ascend from 1 without a gap"
                .formatted(index, profile.bits(), index + 1));
      }
      if (!profile.layers().keySet().equals(layers)) {
        throw new IllegalArgumentException(
            "profile of %s bits: got layers %s, expected the graph's plane layers %s"
                .formatted(profile.bits(), profile.layers().keySet(), layers));
      }
      if (index > 0) {
        checkGrows(profiles.get(index - 1), profile);
      }
    }
    int defaultBits = description.defaultBits().count();
    if (defaultBits > profiles.size()) {
      throw new IllegalArgumentException(
          "defaultBits: got %d, profiles are 1 to %d".formatted(defaultBits, profiles.size()));
    }
  }

  private static void checkGrows(PrecisionProfile narrow, PrecisionProfile wide) {
    wide.layers()
        .forEach(
            (name, layer) -> {
              LayerPrecision before = narrow.layer(name);
              if (layer.planes().compareTo(before.planes()) < 0) {
                throw new IllegalArgumentException(
                    "profile of %s bits: layer '%s' has %s planes, that of %s bits has %s"
                        .formatted(
                            wide.bits(), name, layer.planes(), narrow.bits(), before.planes()));
              }
              if (isPerChannel(wide, name) != isPerChannel(narrow, name)) {
                throw new IllegalArgumentException(
                    "profile of %s bits: layer '%s' has input %s, that of %s bits has %s; an input"
                            .formatted(
                                wide.bits(), name, layer.input(), narrow.bits(), before.input())
                        + " that is quantized per channel must be so at every width");
              }
            });
  }

  private static void checkNames(List<List<Entry>> sections) {
    Set<String> names = new HashSet<>();
    for (List<Entry> section : sections) {
      for (Entry entry : section) {
        String name = entry.name();
        if (name.startsWith(StoredTensor.PADDING_PREFIX) || name.equals(HeaderJson.METADATA)) {
          throw new IllegalArgumentException("tensor name '%s' is reserved".formatted(name));
        }
        if (!names.add(name)) {
          throw new IllegalArgumentException("two tensors are named '%s'".formatted(name));
        }
      }
    }
  }
}
