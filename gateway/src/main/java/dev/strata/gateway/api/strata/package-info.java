/// Strata's own typed API over gRPC.
package dev.strata.gateway.api.strata;
