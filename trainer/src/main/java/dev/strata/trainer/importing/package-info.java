/// From a float network in a file to one layered artifact: what a client sees of the model, its
/// calibration and the artifact's writing joined in one place.
package dev.strata.trainer.importing;
