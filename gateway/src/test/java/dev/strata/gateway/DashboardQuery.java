package dev.strata.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One query of a Grafana dashboard, with its variables as Grafana sets them when all is chosen.
record DashboardQuery(String dashboard, String panel, String expression) {
  private static final Pattern METRIC =
      Pattern.compile("(?<![:a-z_])(?:strata|jvm|process|system)_[a-z0-9_]+");
  private static final Pattern VALUES = Pattern.compile("label_values\\((.*), *([a-z]+)\\)");
  private static final List<String> UNITS =
      List.of("reqps", "s", "bytes", "Bps", "percentunit", "none");

  /// @throws IllegalArgumentException if a dashboard is not whole
  static List<DashboardQuery> of(Path folder) throws IOException {
    List<DashboardQuery> queries = new ArrayList<>();
    Set<String> ids = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.json")) {
      for (Path file : files) {
        JsonNode dashboard = new ObjectMapper().readTree(file.toFile());
        String uid = dashboard.path("uid").asText();
        require(file.getFileName().toString().equals(uid + ".json"), uid + ": its file's name");
        Map<String, String> all = new HashMap<>();
        for (JsonNode variable : dashboard.path("templating").path("list")) {
          String name = variable.path("name").asText();
          all.put(name, variable.path("allValue").asText());
          Matcher values = VALUES.matcher(variable.path("definition").asText());
          require(values.matches(), uid + ": " + variable);
          String counted = "count by (%s) (%s)".formatted(values.group(2), values.group(1));
          queries.add(of(uid, "variable " + name, counted, all));
        }
        for (JsonNode panel : dashboard.path("panels")) {
          String title = panel.path("title").asText();
          require(ids.add(uid + panel.path("id")), uid + ": two panels have the same id");
          require(!panel.path("description").asText().isEmpty(), title + ": what it means");
          require(
              UNITS.contains(panel.path("fieldConfig").path("defaults").path("unit").asText()),
              title + ": its unit");
          for (JsonNode target : panel.path("targets")) {
            queries.add(of(uid, title, target.path("expr").asText(), all));
          }
        }
      }
    }
    return queries;
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new IllegalArgumentException(what);
    }
  }

  private static DashboardQuery of(
      String dashboard, String panel, String expression, Map<String, String> all) {
    String filled = expression.replace("$__rate_interval", "30s");
    for (Map.Entry<String, String> variable : all.entrySet()) {
      filled = filled.replace("\"$" + variable.getKey() + '"', '"' + variable.getValue() + '"');
    }
    require(!filled.contains("$"), panel + ": an unknown variable in " + expression);
    return new DashboardQuery(dashboard, panel, filled);
  }

  /// Names of metrics, those of recording rules left out.
  Set<String> metrics() {
    Set<String> names = new TreeSet<>();
    Matcher matcher = METRIC.matcher(expression);
    while (matcher.find()) {
      names.add(matcher.group());
    }
    return names;
  }
}
