/// How many workers and replicas an arrival rate needs at each width: docs/capacity.md.
package dev.strata.loadtest.capacity;
