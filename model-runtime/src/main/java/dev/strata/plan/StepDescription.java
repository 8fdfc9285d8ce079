package dev.strata.plan;

/// What a plan does at one node, for people.
///
/// @param node the node's name
/// @param operator the operator's name
/// @param path the kernel family: for linear layers "stream" (few rows) or "block" (many)
/// @param planes weight planes read; 0 without plane weights
/// @param activationBits width of the input's codes; 32 where they stay floats
public record StepDescription(
    String node, String operator, String path, int planes, int activationBits) {}
