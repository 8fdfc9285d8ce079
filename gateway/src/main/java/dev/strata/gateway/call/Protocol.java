package dev.strata.gateway.call;

import java.util.Locale;

/// The way a request came in; for metrics only.
public enum Protocol {
  GRPC,
  REST;

  /// Lower case, as metrics show it.
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
