/// Sends a scenario's requests at their times and notes how each ended.
package dev.strata.loadtest.drive;
