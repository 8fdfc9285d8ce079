/// What the embedded models are worth at each width, on full test sets: measured, compared with
// goals
/// and written as one page with plots.
package dev.strata.trainer.accuracy;
