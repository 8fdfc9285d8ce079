package dev.strata.plan;

import java.util.List;

/// How long each step of one run took.
///
/// @param plan what ran
/// @param nanos of each step, in the order of the plan's steps
public record PlanProfile(PlanDescription plan, List<Long> nanos) {
  public PlanProfile {
    nanos = List.copyOf(nanos);
  }
}
