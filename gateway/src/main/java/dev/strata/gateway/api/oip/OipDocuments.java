package dev.strata.gateway.api.oip;

import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.graph.TensorSpec;
import dev.strata.precision.Bits;
import java.util.ArrayList;
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

  record ModelParameters(
      int default_bits,
      List<Precision> precisions,
      @Schema(description = "Widths of the artifact that have not been received yet")
          List<Integer> arriving_bits,
      @Schema(description = "Widths given up for want of memory, until there is room")
          List<Integer> evicted_bits,
      List<String> labels) {}

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
            counts(card.arriving()),
            counts(card.evicted()),
            card.labels()));
  }

  private static List<Integer> counts(List<Bits> widths) {
    return widths.stream().map(Bits::count).toList();
  }

  static List<IndexEntry> index(List<ModelRegistry.Entry> entries, boolean readyOnly) {
    return entries.stream()
        .filter(entry -> !readyOnly || entry.state() instanceof ModelState.Ready)
        .map(
            entry ->
                switch (entry.state()) {
                  case ModelState.Known() -> indexed(entry, "", "");
                  case ModelState.Loading(String note) -> indexed(entry, "LOADING", note);
                  case ModelState.Ready(ModelCard card, String note) ->
                      indexed(entry, "READY", lacking(card, note));
                  case ModelState.Failed(String reason) -> indexed(entry, "UNAVAILABLE", reason);
                  case ModelState.Unloading() -> indexed(entry, "UNLOADING", "");
                  case ModelState.Unloaded() -> indexed(entry, "UNAVAILABLE", "unloaded");
                })
        .toList();
  }

  private static IndexEntry indexed(ModelRegistry.Entry entry, String state, String reason) {
    return new IndexEntry(entry.name(), entry.version(), state, reason);
  }

  /// Which widths a model lacks at present, and why.
  private static String lacking(ModelCard card, String note) {
    List<String> parts = new ArrayList<>();
    if (!card.arriving().isEmpty()) {
      parts.add("bits %s have not arrived".formatted(card.arriving()));
    }
    if (!card.evicted().isEmpty()) {
      parts.add("bits %s are out of memory".formatted(card.evicted()));
    }
    if (!note.isEmpty()) {
      parts.add(note);
    }
    return String.join("; ", parts);
  }

  private static List<Tensor> tensors(List<TensorSpec> specs) {
    return specs.stream()
        .map(spec -> new Tensor(spec.name(), spec.type().name(), spec.shape().dims()))
        .toList();
  }
}
