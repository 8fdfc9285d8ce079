/// Benchmarks of the gateway: each starts packaged gateways of its own and asks them as a client.
package dev.strata.loadtest.bench;
