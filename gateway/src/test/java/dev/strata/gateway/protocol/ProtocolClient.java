package dev.strata.gateway.protocol;

import java.util.List;

/// A client of one protocol in one form.
interface ProtocolClient extends AutoCloseable {

  Answer infer(Question question);

  boolean live();

  boolean ready();

  boolean modelReady(String model);

  /// What the server says of a model: versions, then inputs and outputs as `name type shape`.
  List<String> describe(String model);

  /// Bit widths of a model with the bytes each needs, as `bits:bytes`.
  List<String> precisions(String model);

  /// `name/version state`, one for each version in the repository.
  List<String> index();

  @Override
  void close();
}
