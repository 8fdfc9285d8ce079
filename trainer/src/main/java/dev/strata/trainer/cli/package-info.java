/// The command line: one class per command, each a thin layer over the packages that do the work.
package dev.strata.trainer.cli;
