/// What bit width a request gets. Pure functions over the caller's wish and what the model has.
package dev.strata.gateway.policy;
