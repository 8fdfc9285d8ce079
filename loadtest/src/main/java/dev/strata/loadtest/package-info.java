/// The load generator's command line.
package dev.strata.loadtest;
