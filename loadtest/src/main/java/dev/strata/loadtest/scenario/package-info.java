/// A load as data: the mix of requests, their arrivals and the bounds of the run.
package dev.strata.loadtest.scenario;
