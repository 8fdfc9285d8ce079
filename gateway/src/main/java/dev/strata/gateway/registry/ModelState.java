package dev.strata.gateway.registry;

import dev.strata.gateway.call.ModelCard;

/// Where one version of a model stands.
public sealed interface ModelState {

  /// In the repository, and nobody has asked to load it.
  record Known() implements ModelState {}

  /// Found, and being read and verified; it cannot answer yet.
  ///
  /// @param note what it waits for, may be empty
  record Loading(String note) implements ModelState {}

  /// Answers requests, at the widths of its card.
  ///
  /// @param note why it has no more widths, may be empty
  record Ready(ModelCard card, String note) implements ModelState {}

  /// Could not be loaded.
  ///
  /// @param reason a sentence for whoever asks why
  record Failed(String reason) implements ModelState {}

  /// Takes no new requests, and finishes those it has.
  record Unloading() implements ModelState {}

  /// Was unloaded on demand.
  record Unloaded() implements ModelState {}
}
