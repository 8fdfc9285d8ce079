package dev.strata.gateway.scheduling;

/// What a computation took.
///
/// @param nanos by the clock
/// @param processorNanos of its thread: without what others had of the processor meanwhile
record Took(long nanos, long processorNanos) {}
