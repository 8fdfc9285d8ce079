package dev.strata.k8s;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What the Dockerfile says of the image to those who run it.
///
/// @param user numeric
/// @param volumes paths that must be writable
record Image(long user, Set<Integer> ports, Set<String> volumes) {

  Image {
    ports = Set.copyOf(ports);
    volumes = Set.copyOf(volumes);
  }

  static Image read(Path dockerfile) throws IOException {
    List<String> lines = Files.readAllLines(dockerfile);
    return new Image(
        Long.parseLong(words(lines, "USER").iterator().next().replaceFirst(":.*", "")),
        words(lines, "EXPOSE").stream().map(Integer::valueOf).collect(Collectors.toSet()),
        words(lines, "VOLUME"));
  }

  private static Set<String> words(List<String> lines, String instruction) {
    return lines.stream()
        .filter(line -> line.startsWith(instruction + " "))
        .flatMap(line -> Arrays.stream(line.substring(instruction.length()).strip().split(" +")))
        .collect(Collectors.toSet());
  }
}
