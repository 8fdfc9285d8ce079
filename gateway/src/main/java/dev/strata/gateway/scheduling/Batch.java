package dev.strata.gateway.scheduling;

import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Workload;
import dev.strata.precision.Bits;
import java.util.List;

/// Jobs of one model that are computed together.
///
/// @param bits the width of all of them
/// @param predictedNanos how long that is thought to take
record Batch(Bits bits, List<Pending> members, long predictedNanos) {

  Batch {
    members = List.copyOf(members);
  }

  ServedModel model() {
    return members.getFirst().job().model();
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
