package dev.strata.plan;

import java.util.List;

/// A plan at fixed input shapes, for people.
///
/// @param steps in the order they run
/// @param activationBytes peak memory of activations and scratch: all slots of the static memory
///     plan, which share bytes where their lives do not meet
public record PlanDescription(List<StepDescription> steps, long activationBytes) {
  public PlanDescription {
    steps = List.copyOf(steps);
  }
}
