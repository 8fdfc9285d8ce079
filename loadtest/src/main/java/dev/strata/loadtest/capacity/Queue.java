package dev.strata.loadtest.capacity;

/// A queue before `servers` equal servers, arrivals at random intervals: G/G/c in approximation.
///
/// The mean wait is Allen and Cunneen's: the wait of M/M/c, which Erlang's formula C gives exactly,
/// times the mean of the squared coefficients of variation of arrivals and service (A. O. Allen,
/// *Probability, Statistics, and Queueing Theory with Computer Science Applications*, 2nd edition,
/// 1990, section 5.3; the same as Kingman's for one server and as Lee and Longton's for M/G/c).
/// The wait of those that wait at all is taken for exponential, as it is in M/M/c and in heavy
/// traffic always (Kingman 1962).
///
/// @param perSecond arrivals, more than 0
/// @param arrivalVariability squared coefficient of variation between arrivals; 1 for Poisson
public record Queue(double perSecond, double arrivalVariability, Service service, int servers) {

  /// Share of the servers' time that is needed; from 1 on the queue grows without end.
  public double use() {
    return perSecond * service.meanMillis() / 1e3 / servers;
  }

  /// Probability that an arrival must wait: Erlang C, by the recursion of Erlang B, which does not
  /// overflow.
  public double waits() {
    double offered = perSecond * service.meanMillis() / 1e3;
    double blocked = 1;
    for (int i = 1; i <= servers; i++) {
      blocked = offered * blocked / (i + offered * blocked);
    }
    return use() >= 1 ? 1 : blocked / (1 - use() * (1 - blocked));
  }

  /// Mean wait in the queue, milliseconds; infinite if the servers do not suffice.
  public double meanWaitMillis() {
    if (use() >= 1) {
      return Double.POSITIVE_INFINITY;
    }
    double exponential = waits() * service.meanMillis() / (servers * (1 - use()));
    return exponential * (arrivalVariability + service.variability()) / 2;
  }

  /// Probability that the wait is longer.
  public double waitsLonger(double millis) {
    if (use() >= 1) {
      return 1;
    }
    double mean = meanWaitMillis();
    return mean == 0 ? 0 : waits() * Math.exp(-waits() * millis / mean);
  }

  /// The wait that one in a hundred exceeds, milliseconds.
  public double p99WaitMillis() {
    return use() >= 1
        ? Double.POSITIVE_INFINITY
        : Math.max(0, meanWaitMillis() / waits() * Math.log(waits() / 0.01));
  }

  /// The 99th percentile of wait and service together, milliseconds, on the safe side: never less
  /// than either alone, and at most their sum.
  public double p99Millis() {
    double wait = p99WaitMillis();
    return Math.max(service.p99Millis(), wait + service.meanMillis());
  }

  /// Share of the answers that come later than a deadline.
  public double late(double deadlineMillis) {
    return deadlineMillis < service.meanMillis()
        ? 1
        : waitsLonger(deadlineMillis - service.meanMillis());
  }
}
