package dev.strata.gateway.policy;

import dev.strata.gateway.call.BitsReason;
import dev.strata.precision.Bits;

/// A width, and why it is that one.
public record Choice(Bits bits, BitsReason reason) {}
