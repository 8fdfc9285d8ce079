/// Quality figures: how far a low precision is from the float network and from the truth.
package dev.strata.trainer.eval;
