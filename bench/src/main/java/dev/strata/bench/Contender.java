package dev.strata.bench;

/// One implementation of a case, over copies of its weights.
interface Contender extends AutoCloseable {

  /// One whole call.
  ///
  /// @param copy which copy of the weights
  void run(int copy);

  /// What the last call has computed.
  double output(int row, int channel);

  /// What it should have, from the same weights and inputs by plain arithmetic.
  double expected(int row, int channel);

  /// How far the two may be apart, relative to the largest expected value.
  double tolerance();

  @Override
  default void close() {}
}
