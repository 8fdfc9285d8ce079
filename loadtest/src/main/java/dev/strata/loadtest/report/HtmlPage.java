package dev.strata.loadtest.report;

/// One self-contained page: tables, and plots as inline SVG.
final class HtmlPage {
  private HtmlPage() {}

  /// @param body HTML below the title
  static String of(String title, String body) {
    return """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>%1$s</title>
    <style>
    body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem;
           color: #1b1f24; background: #fff; }
    table { border-collapse: collapse; width: 100%%; font-variant-numeric: tabular-nums; }
    th, td { padding: .25rem .6rem; border-bottom: 1px solid #d8dee4; text-align: right; }
    th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
    figure { margin: 2rem 0; } figcaption { font-weight: 600; } svg { width: 100%%; height: auto; }
    .bad { color: #a40e26; }
    </style></head><body>
    <h1>%1$s</h1>
    %2$s
    </body></html>
    """
        .formatted(escape(title), body);
  }

  static String figure(String caption, String svg) {
    return "<figure><figcaption>%s</figcaption>%s</figure>".formatted(escape(caption), svg);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
