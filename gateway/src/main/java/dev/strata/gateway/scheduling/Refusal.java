package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.InferenceException;

/// A job that left the queue without a computation. Tell its caller outside of any lock.
record Refusal(Pending pending, InferenceException reason) {

  void tell() {
    pending.promise().completeExceptionally(reason);
  }
}
