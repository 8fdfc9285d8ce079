package dev.strata.bench;

import java.util.Map;

/// What `bench model` says of one contender on one input. Public for JSON.
///
/// @param contender what it is, such as "4 bits" or "ORT int8"
/// @param bits of our weights; 0 for peers
/// @param millis median of the network alone
/// @param p10Millis and `p90Millis` quantiles of the same
/// @param answerMillis median of the whole answer, with what comes before and after the network; 0
///     for peers, who have no such thing
/// @param error distance of the outputs from ONNX Runtime's float ones, relative to their length; 0
///     where nothing is there to compare with
/// @param activationBytes peak memory of values and scratch; 0 for peers
/// @param times by peer, how many times as long it takes
public record ModelRow(
    String input,
    String contender,
    int bits,
    int threads,
    double millis,
    double p10Millis,
    double p90Millis,
    double answerMillis,
    double error,
    long activationBytes,
    Map<String, Double> times) {}
