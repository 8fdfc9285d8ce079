package dev.strata.gateway.console;

import dev.strata.gateway.ServerReadiness;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.metrics.RequestMetrics;
import dev.strata.gateway.metrics.RequestStatistics;
import dev.strata.gateway.metrics.SchedulingMetrics;
import dev.strata.gateway.registry.ModelRegistry;
import dev.strata.gateway.registry.ModelState;
import dev.strata.gateway.scheduling.Scheduler;
import dev.strata.kernel.NativeLibrary;
import dev.strata.precision.Bits;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/// The whole server at one moment, for the console and for scripts that watch.
@Path("/strata/v1/snapshot")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Strata")
public final class SnapshotResource {

  private static final List<Long> BOUNDS =
      RequestMetrics.bounds().stream().map(bound -> bound.toNanos() / 1000).toList();

  private final ModelRegistry registry;
  private final Scheduler scheduler;
  private final ServerReadiness readiness;
  private final RequestMetrics requests;
  private final RequestStatistics statistics;
  private final SchedulingMetrics scheduling;

  SnapshotResource(
      ModelRegistry registry,
      Scheduler scheduler,
      ServerReadiness readiness,
      RequestMetrics requests,
      RequestStatistics statistics,
      SchedulingMetrics scheduling) {
    this.registry = registry;
    this.scheduler = scheduler;
    this.readiness = readiness;
    this.requests = requests;
    this.statistics = statistics;
    this.scheduling = scheduling;
  }

  @GET
  @Operation(
      operationId = "snapshot",
      summary = "Models with their widths, what they answered and how fast, brown-out and queue")
  public Snapshot snapshot() {
    return new Snapshot(
        new Snapshot.Server(
            NativeLibrary.loaded().chosen().toString(),
            readiness.ready(),
            new Snapshot.Queue(
                scheduler.depth(),
                scheduler.capacity(),
                TimeUnit.NANOSECONDS.toMicros(scheduler.backlogNanos()))),
        BOUNDS,
        registry.entries().stream().map(this::model).toList());
  }

  private Snapshot.Model model(ModelRegistry.Entry entry) {
    return switch (entry.state()) {
      case ModelState.Known() -> absent(entry, "known", "");
      case ModelState.Loading(String note) -> absent(entry, "loading", note);
      case ModelState.Failed(String reason) -> absent(entry, "failed", reason);
      case ModelState.Unloading() -> absent(entry, "unloading", "");
      case ModelState.Unloaded() -> absent(entry, "unloaded", "");
      case ModelState.Ready(ModelCard card, String note) ->
          new Snapshot.Model(
              entry.name(),
              entry.version(),
              "ready",
              note,
              entry.labels(),
              card.defaultBits().count(),
              card.planeBytes(),
              scheduling.brownOutLevel(entry.name(), entry.version()),
              statistics.failures(entry.name(), entry.version()).count(),
              widths(card));
    };
  }

  private static Snapshot.Model absent(ModelRegistry.Entry entry, String state, String reason) {
    return new Snapshot.Model(
        entry.name(), entry.version(), state, reason, entry.labels(), 0, 0, 0, 0, List.of());
  }

  private List<Snapshot.Width> widths(ModelCard card) {
    List<RequestStatistics.Width> counts = statistics.widths(card.name(), card.version());
    Stream<Snapshot.Width> resident =
        card.offers().stream()
            .map(
                offer ->
                    width(card, offer.bits(), "resident", offer.bytes(), offer.quality(), counts));
    Stream<Snapshot.Width> arriving =
        card.arriving().stream().map(bits -> width(card, bits, "arriving", 0, Map.of(), counts));
    Stream<Snapshot.Width> evicted =
        card.evicted().stream().map(bits -> width(card, bits, "evicted", 0, Map.of(), counts));
    return Stream.of(resident, arriving, evicted)
        .flatMap(widths -> widths)
        .sorted(Comparator.comparingInt(Snapshot.Width::bits))
        .toList();
  }

  private Snapshot.Width width(
      ModelCard card,
      Bits bits,
      String state,
      long bytes,
      Map<String, Double> quality,
      List<RequestStatistics.Width> counts) {
    RequestStatistics.Total compute =
        counts.stream()
            .filter(width -> width.bits().equals(bits))
            .findFirst()
            .map(RequestStatistics.Width::compute)
            .orElse(RequestStatistics.Total.NONE);
    return new Snapshot.Width(
        bits.count(),
        state,
        bytes,
        quality,
        compute.count(),
        TimeUnit.NANOSECONDS.toMicros(compute.nanos()),
        requests.answeredWithin(card.name(), card.version(), bits));
  }
}
