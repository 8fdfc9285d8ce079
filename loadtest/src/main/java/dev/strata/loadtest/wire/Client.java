package dev.strata.loadtest.wire;

import dev.strata.loadtest.scenario.Call;
import dev.strata.loadtest.scenario.Payload;
import java.util.function.Consumer;

/// Sends requests and reads their answers without blocking the sender.
public interface Client extends AutoCloseable {

  /// @param ended told once how the request ended, on any thread; must not block
  void send(Call call, Payload payload, Consumer<Outcome> ended);

  @Override
  void close();
}
