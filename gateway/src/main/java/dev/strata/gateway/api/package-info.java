/// What the protocol adapters share: from a client's words to a checked tensor.
package dev.strata.gateway.api;
