package dev.strata.gateway.metrics;

import io.micrometer.core.instrument.Tags;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Which model versions become labels: those that are really there, and only so many of them; the
/// rest share the label `other`, so that no client and no repository can fill the memory with
/// series.
@Singleton
final class ModelLabels {

  /// A model version as series name it. Both parts are empty for a request that was refused before
  /// its model was known.
  record Label(String model, String version) {

    static final Label NONE = new Label("", "");

    Tags tags() {
      return Tags.of("model", model, "version", version);
    }
  }

  private static final int MOST_MODELS = 100;
  private static final Label OTHER = new Label("other", "other");

  private final Map<Label, Label> labels = new ConcurrentHashMap<>();

  /// A model whatever its version.
  String of(String model) {
    boolean known = labels.keySet().stream().anyMatch(label -> label.model().equals(model));
    return known || labels.size() < MOST_MODELS ? model : OTHER.model();
  }

  Label of(String model, String version) {
    Label wanted = new Label(model, version);
    Label label = labels.get(wanted);
    if (label == null) {
      label = labels.size() < MOST_MODELS || wanted.equals(Label.NONE) ? wanted : OTHER;
      labels.putIfAbsent(wanted, label);
    }
    return label;
  }
}
