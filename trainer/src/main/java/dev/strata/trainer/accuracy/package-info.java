/// What the embedded models are worth at each width, on full test sets, and what training for all
/// widths is worth against a network for each: measured, compared with goals and written as one
/// page with plots.
package dev.strata.trainer.accuracy;
