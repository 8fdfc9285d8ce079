/// Meters beside the line of a request, never on it. `docs/operations.md` lists their names.
package dev.strata.gateway.metrics;
