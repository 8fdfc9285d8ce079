/// Answers that are kept for equal requests, for models whose owner wants it.
package dev.strata.gateway.cache;
