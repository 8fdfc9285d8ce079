/// The public protocol as a client speaks it, and nothing else of the server.
package dev.strata.loadtest.wire;
