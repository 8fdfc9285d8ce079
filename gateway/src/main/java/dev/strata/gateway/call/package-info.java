/// A request and its answer, free of any protocol. Every other package of the gateway may use this
/// one; it uses none of them.
package dev.strata.gateway.call;
