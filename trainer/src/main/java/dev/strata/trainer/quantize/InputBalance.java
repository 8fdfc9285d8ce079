package dev.strata.trainer.quantize;

import java.util.List;

/// Factors between a value and the linear layers that read it: the value's columns are divided
/// by them, the layers' weight columns multiplied, so the float network stays the same.
final class InputBalance {
  private final String value;
  private final List<String> layers;
  private final float[] factors;

  InputBalance(String value, List<String> layers, float[] factors) {
    this.value = value;
    this.layers = List.copyOf(layers);
    this.factors = factors;
  }

  String value() {
    return value;
  }

  List<String> layers() {
    return layers;
  }

  String balancedValue() {
    return value + "/balanced";
  }

  String constant() {
    return value + "/balance";
  }

  /// What the value is multiplied by: `[columns]`.
  float[] reciprocals() {
    float[] reciprocals = new float[factors.length];
    for (int column = 0; column < factors.length; column++) {
      reciprocals[column] = 1 / factors[column];
    }
    return reciprocals;
  }

  /// @param weights `[rows][columns]`
  /// @return the weights that go with the balanced value
  float[] applyTo(float[] weights) {
    float[] scaled = new float[weights.length];
    for (int i = 0; i < weights.length; i++) {
      scaled[i] = weights[i] * factors[i % factors.length];
    }
    return scaled;
  }
}
