package dev.strata.bench;

import dev.strata.trainer.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Tables in Markdown, put between two marks of a document.
final class Report {
  private Report() {}

  static String table(List<String> head, List<List<String>> rows) {
    StringBuilder text =
        new StringBuilder(line(head)).append(line(head.stream().map(_ -> "---").toList()));
    rows.forEach(row -> text.append(line(row)));
    return text.toString();
  }

  private static String line(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  /// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
  static void write(Path document, String name, String text) throws IOException {
    String before = Files.readString(document);
    String opening = "<!-- %s -->\n".formatted(name);
    int from = before.indexOf(opening) + opening.length();
    int to = before.indexOf("<!-- /%s -->".formatted(name));
    if (from < opening.length() || to < from) {
      throw CommandFailure.badInput("%s has no place marked '%s'".formatted(document, name));
    }
    Files.writeString(
        document, before.substring(0, from) + "\n" + text + "\n" + before.substring(to));
  }
}
