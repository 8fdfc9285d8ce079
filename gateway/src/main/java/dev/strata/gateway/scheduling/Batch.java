package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.List;

/// Jobs of one model and width that are computed together.
///
/// @param predictedNanos how long that is thought to take
record Batch(List<Pending> members, long predictedNanos) {

  Batch {
    members = List.copyOf(members);
  }

  ServedModel model() {
    return members.getFirst().job().model();
  }

  Bits bits() {
    return members.getFirst().job().bits();
  }

  /// All rows together, of the length class they share.
  Workload work() {
    return new Workload(
        members.stream().mapToInt(member -> member.job().work().rows()).sum(),
        members.getFirst().job().work().lengthClass());
  }

  /// Whether nobody wants any of it any more.
  boolean obsolete(long now) {
    for (Pending member : members) {
      if (member.obsolete(now).isEmpty()) {
        return false;
      }
    }
    return true;
  }
}
