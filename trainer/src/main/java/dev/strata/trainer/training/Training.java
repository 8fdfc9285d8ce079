package dev.strata.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/// Stochastic gradient descent on one set of float weights for all widths of a run. What an epoch
/// sees follows from the seed and its number, so a run that is resumed ends as one that was not
/// stopped.
final class Training {
  private static final double LARGEST_STEP_CHANGE = 0.05;
  private static final int SETTLING_BATCHES = 50;

  private final TrainedNetwork network;
  private final RunFile run;
  private final Images images;
  private final int classes;
  private final Executor ahead;

  /// @param ahead makes batches
  Training(TrainedNetwork network, Images images, int classes, Executor ahead) {
    this.network = network;
    this.run = network.run();
    this.images = images;
    this.classes = classes;
    this.ahead = ahead;
  }

  /// Told after each step.
  @FunctionalInterface
  interface Listener {
    /// @param loss of the widest width
    /// @param right share of the batch that it got right
    void stepped(int epoch, int step, int steps, double loss, double right);
  }

  private int stepsPerEpoch() {
    return images.count() / Batches.size(run, images.count());
  }

  /// While a step runs, the batch of the next one is made.
  void epoch(NDManager memory, int epoch, Listener listener) throws IOException {
    Batches batches = new Batches(images, run, epoch);
    int steps = stepsPerEpoch();
    CompletableFuture<Batches.Batch> next = ahead(batches, 0);
    for (int step = 0; step < steps; step++) {
      Batches.Batch batch = next.join();
      if (step + 1 < steps) {
        next = ahead(batches, step + 1);
      }
      try (NDManager ofStep = memory.newSubManager()) {
        step(ofStep, batch, epoch, step, listener);
      }
    }
  }

  /// Means and variances anew from the weights as they are at the end. Those that training left lag
  /// behind, most where a width is trained only now and then.
  void settleNorms(NDManager memory) {
    int batches = Math.min(SETTLING_BATCHES, stepsPerEpoch());
    int size = Batches.size(run, images.count());
    List<Integer> widths = network.widths();
    Map<String, float[]> decoded = network.decode(widths);
    for (int i = 0; i < batches; i++) {
      try (NDManager ofBatch = memory.newSubManager()) {
        NDArray batch = TrainingRun.batch(ofBatch, images, i * size, size);
        for (int width : widths) {
          TorchPass.takeStatistics(network, batch, decoded, width, 1f / (i + 1));
        }
      }
    }
  }

  private CompletableFuture<Batches.Batch> ahead(Batches batches, int step) {
    return CompletableFuture.supplyAsync(() -> batches.of(step), ahead);
  }

  /// Every width moves the weights by itself, and the next one already sees the change: the same
  /// passes make more steps than the mean of their gradients would (decision 0042). All widths
  /// share the weights, so each moves them at the rate over the root of the number of widths, as
  /// steps that are nearly independent add up.
  private void step(NDManager memory, Batches.Batch made, int epoch, int step, Listener listener) {
    int[] labels = made.labels();
    int size = labels.length;
    NDArray batch =
        TorchEngine.array(
            memory,
            made.pixels(),
            new Shape(size, images.channels(), images.height(), images.width()));
    List<Integer> widths = widths(made.choices());
    double rate = rate((double) epoch * stepsPerEpoch() + step);
    double shared = rate / Math.sqrt(widths.size());
    float[] hard = oneHot(labels);
    float[] teacher = new float[0];
    double loss = 0;
    double right = 0;
    for (int width : widths) {
      boolean widest = width == widths.getFirst();
      float[] targets = targets(hard, teacher, widest);
      TorchPass.Outcome outcome =
          TorchPass.train(
              network,
              batch,
              TorchEngine.array(memory, targets, new Shape(size, classes)),
              network.decode(List.of(width)),
              width);
      if (!Float.isFinite(outcome.loss())) {
        throw new InvalidRunException(
            "schedule.learning-rate: the loss at %d bits is %s in epoch %d; try a lower rate"
                .formatted(width, outcome.loss(), epoch + 1));
      }
      if (widest) {
        loss = outcome.loss();
        right = right(outcome.logits(), labels);
      }
      if (widest || run.objective() == RunFile.Objective.RECURSIVE) {
        teacher = softmax(outcome.logits(), classes);
      }
      outcome
          .gradients()
          .forEach(
              (name, gradient) ->
                  update(name, gradient, TrainedNetwork.isWeight(name) ? shared : rate));
    }
    listener.stepped(epoch, step + 1, stepsPerEpoch(), loss, right);
  }

  private List<Integer> widths(SplittableRandom random) {
    List<Integer> all = network.widths();
    if (run.objective() != RunFile.Objective.SANDWICH || all.size() < 3) {
      return all;
    }
    int between = all.get(1 + random.nextInt(all.size() - 2));
    return List.of(all.getFirst(), between, all.getLast());
  }

  private float[] targets(float[] hard, float[] teacher, boolean widest) {
    if (widest) {
      return hard;
    }
    return switch (run.objective()) {
      case SUM -> hard;
      case SANDWICH -> teacher;
      case RECURSIVE -> {
        float[] mixed = hard.clone();
        for (int i = 0; i < mixed.length; i++) {
          mixed[i] = 0.5f * (hard[i] + teacher[i]);
        }
        yield mixed;
      }
    };
  }

  /// Nesterov's momentum.
  private void update(String name, float[] gradient, double rate) {
    float[] value = network.state().get(name);
    float[] velocity = network.state().velocity(name);
    double momentum = run.schedule().momentum();
    double decay = TrainedNetwork.isWeight(name) ? run.schedule().weightDecay() : 0;
    boolean isStep = name.contains(".step.");
    for (int i = 0; i < value.length; i++) {
      double slope = gradient[i] + decay * value[i];
      velocity[i] = (float) (momentum * velocity[i] + slope);
      double change = rate * (momentum * velocity[i] + slope);
      if (isStep) {
        double most = LARGEST_STEP_CHANGE * value[i];
        change = Math.clamp(change, -most, most);
      }
      value[i] = (float) (value[i] - change);
    }
  }

  private double rate(double step) {
    double total = (double) run.schedule().epochs() * stepsPerEpoch();
    double warm = run.schedule().warmUp() * total;
    if (step < warm) {
      return run.schedule().learningRate() * (step + 1) / (warm + 1);
    }
    double part = (step - warm) / Math.max(1, total - warm);
    return run.schedule().learningRate() * 0.5 * (1 + Math.cos(Math.PI * part));
  }

  private float[] oneHot(int[] labels) {
    float[] targets = new float[labels.length * classes];
    for (int i = 0; i < labels.length; i++) {
      targets[i * classes + labels[i]] = 1;
    }
    return targets;
  }

  static float[] softmax(float[] logits, int classes) {
    float[] shares = new float[logits.length];
    for (int at = 0; at < logits.length; at += classes) {
      double most = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < classes; i++) {
        most = Math.max(most, logits[at + i]);
      }
      double sum = 0;
      for (int i = 0; i < classes; i++) {
        sum += Math.exp(logits[at + i] - most);
      }
      for (int i = 0; i < classes; i++) {
        shares[at + i] = (float) (Math.exp(logits[at + i] - most) / sum);
      }
    }
    return shares;
  }

  private double right(float[] logits, int[] labels) {
    List<Integer> found = new ArrayList<>(TorchPass.classes(logits, classes));
    int right = 0;
    for (int i = 0; i < labels.length; i++) {
      right += found.get(i) == labels[i] ? 1 : 0;
    }
    return (double) right / labels.length;
  }
}
