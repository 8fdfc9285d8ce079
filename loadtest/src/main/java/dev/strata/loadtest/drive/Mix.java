package dev.strata.loadtest.drive;

import dev.strata.loadtest.scenario.Call;
import java.util.List;
import java.util.Random;

/// Which call comes next, by weight, and with which of its payloads.
final class Mix {
  private final List<Call> calls;
  private final double[] upTo;
  private final Random random;

  /// @param index of the call in the scenario
  /// @param variant index of the payload in the call
  record Choice(int index, Call call, int variant) {}

  Mix(List<Call> calls, Random random) {
    this.calls = calls;
    this.random = random;
    upTo = new double[calls.size()];
    double sum = 0;
    for (int i = 0; i < upTo.length; i++) {
      sum += calls.get(i).weight();
      upTo[i] = sum;
    }
  }

  Choice next() {
    double at = random.nextDouble() * upTo[upTo.length - 1];
    int index = 0;
    while (upTo[index] <= at) {
      index++;
    }
    return of(index);
  }

  Choice named(String name) {
    for (int i = 0; i < calls.size(); i++) {
      if (calls.get(i).name().equals(name)) {
        return of(i);
      }
    }
    throw new IllegalArgumentException("call: got '%s', expected one of the mix".formatted(name));
  }

  private Choice of(int index) {
    Call call = calls.get(index);
    return new Choice(index, call, random.nextInt(call.payloads().size()));
  }
}
