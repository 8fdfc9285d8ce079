package dev.strata.k8s;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A folder that can be applied.
///
/// @param folder with a `kustomization.yaml`
record Kustomization(Path folder) {

  /// Every overlay, and production with each component that no overlay has.
  static List<Kustomization> all() throws IOException {
    List<Kustomization> all = new ArrayList<>();
    try (Stream<Path> overlays = Files.list(Path.of("overlays"))) {
      overlays.sorted().map(Kustomization::new).forEach(all::add);
    }
    for (String component : List.of("repository-url", "repository-image")) {
      all.add(production(component));
    }
    return all;
  }

  /// Production with one component more.
  private static Kustomization production(String component) throws IOException {
    Path folder = Files.createDirectories(Path.of("target/kustomize", component));
    Files.writeString(
        folder.resolve("kustomization.yaml"),
        """
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        namespace: strata
        resources: [../../../overlays/production]
        components: [../../../components/%s]
        """
            .formatted(component));
    return new Kustomization(folder);
  }

  @Override
  public String toString() {
    return folder.toString();
  }
}
