package dev.strata.trainer.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/// Aligned columns for people: numbers to the right, words to the left.
public final class Table {

  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9][0-9.,]*%?|-");

  private final List<String> head;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String... head) {
    this.head = List.of(head);
  }

  public Table(List<String> head) {
    this.head = List.copyOf(head);
  }

  public void row(Object... cells) {
    row(Arrays.asList(cells));
  }

  public void row(List<?> cells) {
    if (cells.size() != head.size()) {
      throw new IllegalArgumentException(
          "row: got %d cells, expected %d".formatted(cells.size(), head.size()));
    }
    rows.add(cells.stream().map(String::valueOf).toList());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    line(text, head);
    line(text, head.stream().map(column -> "-".repeat(width(head.indexOf(column)))).toList());
    rows.forEach(row -> line(text, row));
    return text.toString();
  }

  private void line(StringBuilder text, List<String> cells) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      String cell = cells.get(column);
      String padding = " ".repeat(width(column) - cell.length());
      line.append(isNumeric(column) ? padding + cell : cell + padding).append("  ");
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }

  private int width(int column) {
    return rows.stream()
        .map(row -> row.get(column).length())
        .reduce(head.get(column).length(), Math::max);
  }

  private boolean isNumeric(int column) {
    return !rows.isEmpty()
        && rows.stream().allMatch(row -> NUMBER.matcher(row.get(column)).matches());
  }
}
