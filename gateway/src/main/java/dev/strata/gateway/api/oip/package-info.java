/// The Open Inference Protocol over gRPC and REST: two transports, one set of rules.
package dev.strata.gateway.api.oip;
