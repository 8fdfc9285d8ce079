package dev.strata.bench;

import java.util.List;
import java.util.Map;

/// One of our kernels on one shape.
///
/// @param name of the path and the widths, such as "stream w4a8"
/// @param multiplyAdds of a call
/// @param weightBytes that a call reads
/// @param otherBytes of activations that it reads and writes
/// @param limit what bounds the arithmetic
/// @param floors what must hold
record KernelCase(
    String name,
    Contender contender,
    long multiplyAdds,
    long weightBytes,
    long otherBytes,
    Limit limit,
    List<Floor> floors) {

  /// Which peak of the processor bounds a case, and by how many products of it one costs.
  record Limit(Unit unit, int products) {
    enum Unit {
      DOTS,
      ONES
    }

    double perNano(Machine machine) {
      return switch (unit) {
        case DOTS -> machine.limits().dots();
        case ONES -> machine.limits().ones() / products;
      };
    }
  }

  /// A peer's name and how many times as fast as it we must be; or [#MEMORY], [#PEAK] and the part
  /// of it that must be reached.
  record Floor(String against, double least) {
    static final String MEMORY = "memory bandwidth";
    static final String PEAK = "dot peak";
  }

  /// Cases of one shape with their peers, which take turns.
  ///
  /// @param copies of the weights, used in turn so that they come from memory; 1 to have them warm
  record Group(
      String shape,
      int copies,
      int rows,
      int channels,
      List<KernelCase> cases,
      Map<String, Contender> peers)
      implements AutoCloseable {
    boolean cold() {
      return copies > 1;
    }

    @Override
    public void close() {
      peers.values().forEach(Contender::close);
    }
  }
}
