package dev.strata.loadtest.scenario;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// One kind of request in the mix.
///
/// @param name for reports, unique in a scenario
/// @param weight its share of the mix, relative to the others'
/// @param model name on the server
/// @param protocol how it is sent
/// @param parameters of the Open Inference Protocol: integers, floats, texts or booleans, such as
///     `bits`; they are sent as they stand
/// @param payloads the inputs to choose from
public record Call(
    String name,
    double weight,
    String model,
    Protocol protocol,
    Map<String, Object> parameters,
    List<Payload> payloads) {

  public enum Protocol {
    GRPC,
    REST
  }

  public Call {
    parameters = Map.copyOf(parameters);
    payloads = List.copyOf(payloads);
  }

  /// What precision is asked for, in a word or two.
  public String wish() {
    String wish =
        parameters.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining(" "));
    return wish.isEmpty() ? "default" : wish;
  }

  /// The same request at a width, whatever it asked for.
  public Call at(int bits) {
    return new Call(name, weight, model, protocol, Map.of("bits", bits), payloads);
  }

  public Call named(String other) {
    return new Call(other, weight, model, protocol, parameters, payloads);
  }
}
