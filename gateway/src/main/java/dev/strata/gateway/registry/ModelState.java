package dev.strata.gateway.registry;

import dev.strata.gateway.call.ModelCard;

/// Where one version of a model stands.
public sealed interface ModelState {

  /// Found, and being mapped and verified.
  record Loading() implements ModelState {}

  /// Answers requests.
  record Ready(ModelCard card) implements ModelState {}

  /// Could not be loaded.
  ///
  /// @param reason a sentence for whoever asks why
  record Failed(String reason) implements ModelState {}
}
