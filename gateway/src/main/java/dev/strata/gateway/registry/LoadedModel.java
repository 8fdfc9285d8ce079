package dev.strata.gateway.registry;

import dev.strata.artifact.ModelArtifact;
import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ModelPolicy;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.ServedModel;
import dev.strata.gateway.call.Signature;
import dev.strata.graph.ConfidenceCascade;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Postprocessing;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Tensor;
import dev.strata.model.InvalidInputException;
import dev.strata.model.LayeredModel;
import dev.strata.model.PreparedInput;
import dev.strata.plan.ExecutionStoppedException;
import dev.strata.precision.Bits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/// One open artifact and the count of its users. Leases and sessions are users; the artifact is
/// closed when it is retired and the last user has gone.
///
/// How many widths it offers may grow and shrink. Each number is a [View]; a lease belongs to the
/// view it began in. Planes above the offered width leave memory when the last lease of an earlier
/// view has ended: they could be read even so, for they stay mapped, but would come back at once.
final class LoadedModel implements ServedModel {

  private final String name;
  private final long version;
  private volatile ModelSettings settings;
  private final LayeredModel model;
  private final ModelDescription whole;
  private final Runnable whenClosed;
  private final Runnable whenUsed;
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private volatile View view;
  private int admitted;
  private int users;
  private boolean retired;

  /// What is offered for a time.
  private static final class View {
    private final ModelCard card;
    private final ModelPolicy policy;
    private final int width;
    private int leases;

    View(ModelCard card, ModelPolicy policy, int width) {
      this.card = card;
      this.policy = policy;
      this.width = width;
    }
  }

  /// Takes over an artifact that has width 1, and offers that.
  ///
  /// @param name the directory's name, which is the name clients use
  /// @param whenUsed told of each lease
  /// @param whenClosed gives back what lies behind the artifact
  LoadedModel(
      String name,
      long version,
      ModelSettings settings,
      ModelArtifact artifact,
      Runnable whenUsed,
      Runnable whenClosed) {
    this.name = name;
    this.version = version;
    this.settings = settings;
    this.whole = artifact.wholeDescription();
    this.model = LayeredModel.of(artifact);
    this.whenUsed = whenUsed;
    this.whenClosed = whenClosed;
    this.admitted = 1;
    this.view = view(1);
  }

  private View view(int width) {
    ModelCard card = card(width);
    ModelSettings.Widths precision = settings.precision();
    Precision standard =
        precision
            .standard()
            .filter(choice -> !(choice instanceof Precision.Exactly))
            .orElse(new Precision.Exactly(card.defaultBits()));
    ModelPolicy policy =
        new ModelPolicy(
            standard,
            new BitRange(precision.least(), precision.most()),
            settings.queue(),
            settings.batching(),
            settings.cacheBytes(),
            settings.shadow());
    return new View(card, policy, width);
  }

  private ModelCard card(int width) {
    ModelDescription description = model.description();
    Bits wanted =
        settings.precision().standard().orElse(new Precision.Exactly(whole.defaultBits()))
                instanceof Precision.Exactly(Bits bits)
            ? bits
            : whole.defaultBits();
    return new ModelCard(
        name,
        Long.toString(version),
        new Signature(
            description.inputs(),
            description.outputs(),
            !(description.preprocessing() instanceof Preprocessing.None)),
        wanted.count() > width ? new Bits(width) : wanted,
        Bits.all().subList(0, width).stream()
            .map(
                bits ->
                    new ModelCard.Offer(
                        bits, model.prefixBytes(bits), description.profile(bits).quality()))
            .toList(),
        description.labels(),
        model.cascade(),
        model.planeBytes(new Bits(width)),
        Bits.all().subList(admitted, whole.profiles().size()),
        Bits.all().subList(width, admitted));
  }

  String name() {
    return name;
  }

  long version() {
    return version;
  }

  LayeredModel layered() {
    return model;
  }

  @Override
  public ModelCard card() {
    return view.card;
  }

  @Override
  public ModelPolicy policy() {
    return view.policy;
  }

  /// The widest it offers.
  int offered() {
    return view.width;
  }

  /// The widest that has arrived and been verified.
  synchronized int admitted() {
    return admitted;
  }

  /// Whether it offers the width that its owner requires, or all it can ever have.
  boolean sufficient() {
    int required = settings.precision().required().map(Bits::count).orElse(1);
    return view.width >= Math.min(required, whole.profiles().size());
  }

  /// Whether its owner says which width is enough for the server to be ready.
  boolean hasWhatIsRequired() {
    return settings.precision().required().isPresent() && sufficient();
  }

  /// Another width has been verified; it is not offered yet.
  synchronized void admitted(int width) {
    admitted = width;
    view = view(view.width);
  }

  /// Takes over what the owner has changed since it was loaded.
  synchronized void apply(ModelSettings changed) {
    settings = changed;
    view = view(view.width);
  }

  /// Offers the widths 1 to `width` from now on. Leases of the view that ends keep what they had.
  void offer(int width) {
    boolean drained;
    synchronized (this) {
      if (retired && users == 0) {
        return;
      }
      View before = view;
      view = view(width);
      drained = width < before.width && before.leases == 0;
      users++;
    }
    try {
      if (drained) {
        dropUnoffered();
      }
    } finally {
      release();
    }
  }

  /// Lets go of the planes that nobody is offered.
  private void dropUnoffered() {
    for (int width = offered() + 1; width <= admitted(); width++) {
      model.evict(new Bits(width));
    }
  }

  @Override
  public synchronized boolean retired() {
    return retired;
  }

  /// Done when the artifact has been closed.
  CompletableFuture<Void> closed() {
    return closed;
  }

  /// Begins a lease.
  ///
  /// @return what ends it; empty if the model has already been closed for good
  Optional<Runnable> lease() {
    View leased;
    synchronized (this) {
      if (retired && users == 0) {
        return Optional.empty();
      }
      users++;
      leased = view;
      leased.leases++;
    }
    whenUsed.run();
    return Optional.of(() -> endLease(leased));
  }

  private void endLease(View leased) {
    boolean drained;
    synchronized (this) {
      leased.leases--;
      drained = leased.leases == 0 && leased.width > view.width;
    }
    try {
      if (drained) {
        dropUnoffered();
      }
    } finally {
      release();
    }
  }

  private void release() {
    boolean last;
    synchronized (this) {
      users--;
      last = retired && users == 0;
    }
    if (last) {
      close();
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
      close();
    }
  }

  private void close() {
    try {
      model.close();
    } finally {
      whenClosed.run();
      closed.complete(null);
    }
  }

  @Override
  public Session newSession() {
    synchronized (this) {
      if (retired && users == 0) {
        throw new IllegalStateException("model '%s' is closed".formatted(name));
      }
      users++;
    }
    try {
      return new ModelSession(model.newSession(settings.threads()));
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
    public List<Outcome> run(
        Bits bits, List<Map<String, Tensor>> requests, BooleanSupplier abandoned) {
      Outcome[] outcomes = new Outcome[requests.size()];
      List<PreparedInput> prepared = new ArrayList<>();
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        try {
          prepared.add(model.prepare(requests.get(i)));
          places.add(i);
        } catch (InvalidInputException invalid) {
          outcomes[i] = new Outcome.Refused(InferenceException.invalid(invalid.getMessage()));
        }
      }
      List<Outcome> ran = run(bits, prepared, abandoned, prepared.size() > 1);
      for (int i = 0; i < places.size(); i++) {
        outcomes[places.get(i)] = ran.get(i);
      }
      return List.of(outcomes);
    }

    /// @param together whether the requests may still be told apart if one of them does not fit
    private List<Outcome> run(
        Bits bits, List<PreparedInput> requests, BooleanSupplier abandoned, boolean together) {
      if (requests.isEmpty()) {
        return List.of();
      }
      boolean pad = view.policy.batching().padding() == BatchingSettings.Padding.BUCKET;
      try {
        return session.predict(bits, requests, pad, abandoned).stream()
            .<Outcome>map(
                answer -> new Outcome.Answered(answer.outputs(), margin(answer.outputs())))
            .toList();
      } catch (ExecutionStoppedException stopped) {
        return Collections.nCopies(requests.size(), new Outcome.Abandoned());
      } catch (InvalidInputException invalid) {
        if (!together) {
          return List.of(new Outcome.Refused(InferenceException.invalid(invalid.getMessage())));
        }
        return requests.stream()
            .flatMap(request -> run(bits, List.of(request), abandoned, false).stream())
            .toList();
      }
    }

    private OptionalDouble margin(Map<String, Tensor> outputs) {
      return view.card.cascade().isPresent()
              && whole.postprocessing() instanceof Postprocessing.Softmax softmax
          ? OptionalDouble.of(ConfidenceCascade.margin(outputs.get(softmax.output())))
          : OptionalDouble.empty();
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
