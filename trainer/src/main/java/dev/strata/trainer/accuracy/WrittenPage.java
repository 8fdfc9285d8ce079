package dev.strata.trainer.accuracy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A page as it lies there, so that what is not measured anew can stay in it.
///
/// @param sections by title, in their order, each with its heading
/// @param goals rows of the table of goals by model, in their order
record WrittenPage(Map<String, String> sections, Map<String, List<String>> goals) {

  static final String GOALS = "Goals";

  private static final String HEADING = "## ";
  private static final String FENCE = "```";

  /// @return an empty one if there is no such file
  static WrittenPage read(Path page) throws IOException {
    Map<String, String> sections = new LinkedHashMap<>();
    if (Files.exists(page)) {
      String title = "";
      boolean fenced = false;
      for (String line : Files.readAllLines(page)) {
        fenced ^= line.startsWith(FENCE);
        if (!fenced && line.startsWith(HEADING)) {
          title = line.substring(HEADING.length());
        }
        if (!title.isEmpty()) {
          sections.merge(title, line + "\n", String::concat);
        }
      }
      sections.replaceAll((_, text) -> text.strip() + "\n");
    }
    String table = sections.getOrDefault(GOALS, "");
    sections.remove(GOALS);
    Map<String, List<String>> goals =
        table
            .lines()
            .filter(line -> line.startsWith("| "))
            .skip(2)
            .collect(
                Collectors.groupingBy(
                    line -> line.substring(2, line.indexOf(" |")),
                    LinkedHashMap::new,
                    Collectors.mapping(line -> line + "\n", Collectors.toList())));
    return new WrittenPage(sections, goals);
  }

  /// The same with a section and its goals as they are now, in the old one's place.
  WrittenPage with(String title, String section, String model, List<String> rows) {
    Map<String, String> changed = new LinkedHashMap<>(sections);
    changed.put(title, section);
    Map<String, List<String>> judged = new LinkedHashMap<>(goals);
    judged.put(model, new ArrayList<>(rows));
    return new WrittenPage(changed, judged);
  }
}
