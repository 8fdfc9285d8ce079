package dev.strata.plan;

/// Rows of activations as integers, with the sums and scales of their groups.
record Codes(Region codes, Region sums, Region scale) {}
