/// Model files: what they hold, in which order, and how one is known to be intact. The only package
/// that knows bytes on disk. [dev.strata.artifact.ModelArtifact] opens a file,
/// [dev.strata.artifact.ArtifactWriter] makes one and [dev.strata.artifact.ArtifactSlicer] shortens
/// one; docs/artifact-format.md says the same for other readers.
package dev.strata.artifact;
