package dev.strata.gateway.registry;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Signature;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Tensor;
import dev.strata.model.InvalidInputException;
import dev.strata.model.LayeredModel;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// One open artifact and the count of its users. Leases and sessions are users; the artifact is
/// closed when it is retired and the last user has gone.
final class LoadedModel implements ServedModel {

  private final LayeredModel model;
  private final ModelCard card;
  private int users;
  private boolean retired;

  private LoadedModel(LayeredModel model, ModelCard card) {
    this.model = model;
    this.card = card;
  }

  /// Maps and verifies the file.
  ///
  /// @param name the directory's name, which is the name clients use
  static LoadedModel open(String name, long version, Path file) throws IOException {
    LayeredModel model = LayeredModel.open(file);
    try {
      return new LoadedModel(model, card(name, version, model));
    } catch (Throwable failure) {
      model.close();
      throw failure;
    }
  }

  private static ModelCard card(String name, long version, LayeredModel model) {
    ModelDescription description = model.description();
    return new ModelCard(
        name,
        Long.toString(version),
        new Signature(
            description.inputs(),
            description.outputs(),
            !(description.preprocessing() instanceof Preprocessing.None)),
        defaultBits(description, model),
        model.precisions().stream()
            .map(
                bits ->
                    new ModelCard.Offer(
                        bits, model.prefixBytes(bits), description.profile(bits).quality()))
            .toList(),
        description.labels(),
        model.planeBytes());
  }

  /// The described default, or the widest there is when the file was sliced below it.
  private static Bits defaultBits(ModelDescription description, LayeredModel model) {
    return model.precisions().contains(description.defaultBits())
        ? description.defaultBits()
        : model.precisions().getLast();
  }

  @Override
  public ModelCard card() {
    return card;
  }

  @Override
  public synchronized boolean retired() {
    return retired;
  }

  /// @return false if the model has already been closed for good
  synchronized boolean acquire() {
    if (retired && users == 0) {
      return false;
    }
    users++;
    return true;
  }

  void release() {
    boolean last;
    synchronized (this) {
      users--;
      last = retired && users == 0;
    }
    if (last) {
      model.close();
    }
  }

  /// No new users from now on, except sessions of those who hold a lease.
  void retire() {
    boolean unused;
    synchronized (this) {
      unused = !retired && users == 0;
      retired = true;
    }
    if (unused) {
      model.close();
    }
  }

  @Override
  public Session newSession() {
    if (!acquire()) {
      throw new IllegalStateException("model '%s' is closed".formatted(card.name()));
    }
    try {
      return new ModelSession(model.newSession());
    } catch (Throwable failure) {
      release();
      throw failure;
    }
  }

  private final class ModelSession implements Session {
    private final LayeredModel.Session session;

    ModelSession(LayeredModel.Session session) {
      this.session = session;
    }

    @Override
    public Map<String, Tensor> run(Bits bits, Map<String, Tensor> inputs) {
      try {
        return session.predict(bits, inputs).outputs();
      } catch (InvalidInputException invalid) {
        throw InferenceException.invalid(invalid.getMessage());
      }
    }

    @Override
    public void close() {
      try {
        session.close();
      } finally {
        release();
      }
    }
  }
}
