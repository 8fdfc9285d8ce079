/// What happens before and after the network: texts become token ids, images become normalised
/// tensors, logits become probabilities, hidden states an embedding, time steps a text. Which of
/// these a model needs is data in its description; this package does the work. A batch answers
/// exactly like its elements alone.
package dev.strata.processing;
