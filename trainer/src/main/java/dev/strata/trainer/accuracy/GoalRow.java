package dev.strata.trainer.accuracy;

/// A goal beside what was found.
///
/// @param figure in a few words
/// @param least the goal
record GoalRow(String model, int bits, String figure, double least, double found) {

  boolean isMet() {
    return found >= least;
  }

  String markdown() {
    return "| %s | %d | %s | %.4f | %.5f | %s |\n"
        .formatted(model, bits, figure, least, found, isMet() ? "met" : "**MISSED**");
  }

  String words() {
    return "%s at %d bits: %s is %.5f, goal %.4f".formatted(model, bits, figure, found, least);
  }
}
