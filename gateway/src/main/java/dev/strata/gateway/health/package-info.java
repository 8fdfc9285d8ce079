/// What probes ask: is the process alive, and is it ready for work.
package dev.strata.gateway.health;
