/// The models that every server starts with: where each comes from, what clients see of it, what it
/// is calibrated with and measured on.
package dev.strata.trainer.repository;
