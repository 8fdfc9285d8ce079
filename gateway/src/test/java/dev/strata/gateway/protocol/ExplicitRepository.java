package dev.strata.gateway.protocol;

import java.util.HashMap;
import java.util.Map;

/// The same directory, of which only `conv` is loaded at the start.
public final class ExplicitRepository extends TinyRepository {

  @Override
  public Map<String, String> start() {
    Map<String, String> settings = new HashMap<>(super.start());
    settings.put("strata.model-control", "explicit");
    settings.put("strata.load", "conv");
    return settings;
  }
}
