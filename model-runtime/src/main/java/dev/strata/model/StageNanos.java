package dev.strata.model;

/// How long the stages of one prediction took, in nanoseconds.
///
/// @param prepare client inputs to graph inputs, such as tokenizing
/// @param plan the network itself
/// @param finish graph outputs to answers, such as pooling
public record StageNanos(long prepare, long plan, long finish) {
  public long total() {
    return prepare + plan + finish;
  }
}
