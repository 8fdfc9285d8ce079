package dev.strata.gateway.registry;

import dev.strata.gateway.call.InferenceException;
import dev.strata.gateway.call.ModelCard;
import dev.strata.gateway.call.ServedModel;
import dev.strata.graph.Tensor;
import dev.strata.precision.Bits;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// A repository over a directory of a test, with small artifacts to put into it.
final class TestRepository implements AutoCloseable {

  final ModelRegistry registry = new ModelRegistry();
  final ModelRepository repository;
  private final Path directory;

  TestRepository(ModelRepository.Options options) throws IOException {
    this(options, LoadObserver.NONE);
  }

  TestRepository(ModelRepository.Options options, LoadObserver observer) throws IOException {
    directory = options.directories().getFirst();
    repository = new ModelRepository(options, registry, observer);
  }

  /// Options that differ from the standard in one respect or two.
  static ModelRepository.Options options(
      Path directory, ModelRepository.Control control, long budgetBytes, SignaturePolicy signed) {
    return new ModelRepository.Options(
        List.of(directory),
        control,
        List.of(),
        Optional.empty(),
        Long.MAX_VALUE,
        budgetBytes,
        Duration.ZERO,
        signed,
        2,
        Duration.ofSeconds(1));
  }

  /// Puts an artifact in place whole, as an operator would.
  Path put(String name, long version, long seed) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(name).resolve(Long.toString(version)));
    Path unfinished = folder.resolve(".unfinished");
    try (TinyModel model = TinyModels.withSeed(seed)) {
      model.writeTo(unfinished);
    }
    return move(unfinished, folder.resolve(ModelRepository.FILE));
  }

  Path settings(String name, String yaml) throws IOException {
    Path folder = Files.createDirectories(directory.resolve(name));
    Path unfinished = Files.writeString(folder.resolve(".unfinished"), yaml);
    return move(unfinished, folder.resolve(ModelSettingsFile.NAME));
  }

  private static Path move(Path from, Path to) throws IOException {
    return Files.move(
        from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Looks at the directory and waits until nothing is under way.
  void refresh() {
    repository.refresh();
    settle();
  }

  /// Waits until nothing is being loaded.
  void settle() {
    await(() -> !repository.isBusy());
  }

  ModelCard card(String name) {
    return registry.card(name, Optional.empty());
  }

  int widths(String name) {
    return card(name).precisions().size();
  }

  ModelState state(String name, long version) {
    return registry.entries().stream()
        .filter(
            entry -> entry.name().equals(name) && entry.version().equals(Long.toString(version)))
        .findFirst()
        .orElseThrow()
        .state();
  }

  InferenceException refusal(String name, Optional<String> version) {
    try (ModelLease lease = registry.lease(name, version)) {
      throw new AssertionError("expected a refusal, got " + lease.model().card());
    } catch (InferenceException refused) {
      return refused;
    }
  }

  /// What the tiny model answers to one request.
  static float[] answer(ServedModel.Session session, Bits bits, Map<String, Tensor> inputs) {
    return switch (session.run(bits, List.of(inputs), () -> false).getFirst()) {
      case ServedModel.Outcome.Answered(var outputs, _) -> outputs.get("y").toFloats();
      case ServedModel.Outcome.Refused(InferenceException reason) -> throw reason;
      case ServedModel.Outcome.Abandoned() -> throw new AssertionError("abandoned");
    };
  }

  static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("waited 30 s in vain");
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  static List<Bits> bits(int count) {
    return Bits.all().subList(0, count);
  }

  @Override
  public void close() {
    registry.close();
    repository.close();
  }
}
