package dev.strata.plan;

/// A run was given up between two steps because its caller no longer wants the answer.
public final class ExecutionStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ExecutionStoppedException(String node) {
    super("stopped before node '%s'".formatted(node));
  }
}
