package dev.strata.artifact;

import dev.strata.graph.Shape;

/// A tensor as the header lists it.
///
/// @param begin data offset: counted from the first tensor; not negative
/// @param end data offset after its last byte; not negative
record HeaderListing(String name, StoredType type, Shape shape, long begin, long end) {}
