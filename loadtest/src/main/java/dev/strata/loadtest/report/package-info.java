/// A run in figures: tables, plots, files and the comparison of two runs.
package dev.strata.loadtest.report;
