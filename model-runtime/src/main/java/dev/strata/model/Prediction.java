package dev.strata.model;

import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import java.util.Map;

/// Named outputs with the precision that made them.
public record Prediction(Bits bits, Map<String, Tensor> outputs) {}
