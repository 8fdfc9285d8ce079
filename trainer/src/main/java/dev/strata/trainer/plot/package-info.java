/// Plots as small SVG files, for the pages that commands write.
package dev.strata.trainer.plot;
