package dev.strata.gateway.protocol;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import jakarta.inject.Singleton;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// Stands for the collector to which a server sends its spans.
@Singleton
public class CollectedSpans implements SpanExporter {

  private final List<SpanData> spans = new CopyOnWriteArrayList<>();

  /// Waits until as many spans of a trace have come.
  List<SpanData> ofTrace(String id, int count) throws InterruptedException {
    while (true) {
      List<SpanData> found = spans.stream().filter(span -> span.getTraceId().equals(id)).toList();
      if (found.size() >= count) {
        return found;
      }
      Thread.sleep(10);
    }
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> more) {
    spans.addAll(more);
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode flush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    return CompletableResultCode.ofSuccess();
  }
}
