package dev.strata.gateway.api.oip;

import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.graph.TensorSpec;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/// The small JSON objects of the protocol, member for member. Tensors have their own reader and
/// writer.
final class OipDocuments {

  private OipDocuments() {}

  record Live(boolean live) {}

  record Ready(boolean ready) {}

  record ModelReady(String name, boolean ready) {}

  record Failure(String error) {}

  record Server(String name, String version, List<String> extensions) {}

  record Models(List<String> models) {}

  record Tensor(String name, String datatype, List<Long> shape) {}

  record Precision(
      @Schema(description = "Bit-planes read per weight", minimum = "1", maximum = "8") int bits,
      @Schema(description = "Length of the file prefix this precision needs") long bytes,
      @Schema(description = "Metric name to the value measured at this precision")
          Map<String, Double> quality) {}

  record ModelParameters(int default_bits, List<Precision> precisions, List<String> labels) {}

  record Model(
      String name,
      List<String> versions,
      String platform,
      List<Tensor> inputs,
      List<Tensor> outputs,
      ModelParameters parameters) {}

  record IndexEntry(String name, String version, String state, String reason) {}

  static Model model(ModelCard card, List<String> versions) {
    return new Model(
        card.name(),
        versions,
        OipServer.PLATFORM,
        tensors(card.signature().inputs()),
        tensors(card.signature().outputs()),
        new ModelParameters(
            card.defaultBits().count(),
            card.offers().stream()
                .map(offer -> new Precision(offer.bits().count(), offer.bytes(), offer.quality()))
                .toList(),
            card.labels()));
  }

  static List<IndexEntry> index(List<ModelRegistry.Entry> entries, boolean readyOnly) {
    return entries.stream()
        .filter(entry -> !readyOnly || entry.state() instanceof ModelState.Ready)
        .map(
            entry ->
                switch (entry.state()) {
                  case ModelState.Ready _ ->
                      new IndexEntry(entry.name(), entry.version(), "READY", "");
                  case ModelState.Loading _ ->
                      new IndexEntry(entry.name(), entry.version(), "LOADING", "");
                  case ModelState.Failed(String reason) ->
                      new IndexEntry(entry.name(), entry.version(), "UNAVAILABLE", reason);
                })
        .toList();
  }

  private static List<Tensor> tensors(List<TensorSpec> specs) {
    return specs.stream()
        .map(spec -> new Tensor(spec.name(), spec.type().name(), spec.shape().dims()))
        .toList();
  }
}
