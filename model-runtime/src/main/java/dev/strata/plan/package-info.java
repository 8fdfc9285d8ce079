/// A graph at one precision as an ordered list of kernel calls. [dev.strata.plan.Planner] fixes
// what
/// depends on the precision alone; [dev.strata.plan.ExecutionContext] binds the plan to input
// shapes
/// (shapes, static values, memory) and runs it, one downcall for each step.
package dev.strata.plan;
