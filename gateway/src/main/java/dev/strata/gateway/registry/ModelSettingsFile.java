package dev.strata.gateway.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.strata.gateway.call.BatchingSettings;
import dev.strata.gateway.call.BitRange;
import dev.strata.gateway.call.Precision;
import dev.strata.gateway.call.QueueSettings;
import dev.strata.gateway.call.ShadowSettings;
import dev.strata.plan.Team;
import dev.strata.precision.Bits;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// Reads `model.yaml`; docs/operations.md lists its keys. Strict: what it does not understand is an
/// error, since a misspelt key would otherwise be a setting that silently does nothing.
final class ModelSettingsFile {

  static final String NAME = "model.yaml";

  private static final int MAX_BYTES = 64 << 10;
  private static final long MAX_CACHE_BYTES = 1L << 40;
  private static final int MAX_BATCH_ROWS = 1024;
  private static final long MAX_VERSION = 999_999_999_999_999_999L;

  /// Never a number, so that a label cannot be taken for a version.
  private static final Pattern LABEL = Pattern.compile("[a-z][a-z0-9_-]{0,63}");

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  private ModelSettingsFile() {}

  /// @throws InvalidSettingsException naming key, got and expected
  /// @throws IOException if the file cannot be read
  static ModelSettings read(Path file) throws IOException, InvalidSettingsException {
    if (Files.size(file) > MAX_BYTES) {
      throw new InvalidSettingsException(
          "%s: got %d bytes, expected at most %d".formatted(NAME, Files.size(file), MAX_BYTES));
    }
    JsonNode tree;
    try {
      tree = YAML.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException malformed) {
      String where =
          malformed.getLocation() == null
              ? ""
              : " at line %d column %d"
                  .formatted(
                      malformed.getLocation().getLineNr(), malformed.getLocation().getColumnNr());
      throw new InvalidSettingsException(
          "%s: malformed YAML%s: %s"
              .formatted(
                  NAME, where, malformed.getOriginalMessage().lines().findFirst().orElse("")));
    }
    return read(new SettingsNode(NAME, "", tree));
  }

  private static ModelSettings read(SettingsNode top) throws InvalidSettingsException {
    top.of(
        Set.of(
            "version-policy",
            "labels",
            "precision",
            "queue",
            "batching",
            "cache-bytes",
            "shadow",
            "warm-up",
            "threads",
            "source"));
    return new ModelSettings(
        versions(top.member("version-policy")),
        labels(top.member("labels")),
        precision(top.member("precision")),
        queue(top.member("queue")),
        batching(top.member("batching")),
        top.member("cache-bytes").integer(0, 0, MAX_CACHE_BYTES),
        shadow(top.member("shadow")),
        warmUp(top.member("warm-up")),
        (int) top.member("threads").integer(1, 1, Team.MOST_THREADS),
        sources(top.member("source")));
  }

  private static VersionPolicy versions(SettingsNode node) throws InvalidSettingsException {
    if (!node.isPresent()) {
      return ModelSettings.STANDARD.versions();
    }
    if (node.value().isTextual() && node.value().textValue().equals("all")) {
      return new VersionPolicy.All();
    }
    if (!node.value().isObject() || node.value().size() != 1) {
      throw node.expected("all, {latest: N} or {specific: [N, ...]}");
    }
    node.of(Set.of("latest", "specific"));
    SettingsNode specific = node.member("specific");
    if (specific.isPresent()) {
      Set<Long> versions = new TreeSet<>(specific.integers(1, MAX_VERSION));
      if (versions.isEmpty()) {
        throw specific.expected("at least one version");
      }
      return new VersionPolicy.Specific(versions);
    }
    return new VersionPolicy.Latest((int) node.member("latest").integer(1, 1, 1000));
  }

  private static Map<String, Long> labels(SettingsNode node) throws InvalidSettingsException {
    Map<String, Long> labels = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.entries()) {
      SettingsNode label = node.member(entry.getKey());
      if (!LABEL.matcher(entry.getKey()).matches()) {
        throw new InvalidSettingsException(
            "%s: labels: got the name '%s', expected %s".formatted(NAME, entry.getKey(), LABEL));
      }
      if (!label.isPresent()) {
        throw label.expected("a version");
      }
      labels.put(entry.getKey(), label.integer(0, 1, MAX_VERSION));
    }
    return labels;
  }

  private static ModelSettings.Widths precision(SettingsNode node) throws InvalidSettingsException {
    node.of(Set.of("default", "min", "max", "required"));
    Bits least = bits(node.member("min")).orElse(new Bits(1));
    SettingsNode max = node.member("max");
    Bits most = bits(max).orElse(new Bits(Bits.MAX));
    if (most.compareTo(least) < 0) {
      throw max.expected("at least precision.min, which is " + least);
    }
    return new ModelSettings.Widths(
        standard(node.member("default")), least, most, bits(node.member("required")));
  }

  private static Optional<Precision> standard(SettingsNode node) throws InvalidSettingsException {
    if (!node.isPresent()) {
      return Optional.empty();
    }
    if (node.value().isObject()) {
      SettingsNode within = node.of(Set.of("within")).member("within");
      Duration budget = within.duration(Duration.ZERO);
      if (budget.isZero()) {
        throw within.expected("a time such as 20ms (us, ms or s)");
      }
      return Optional.of(new Precision.Within(budget, BitRange.ALL));
    }
    if (node.value().isTextual()) {
      return switch (node.value().textValue()) {
        case "auto" -> Optional.of(new Precision.Auto(BitRange.ALL));
        case "cascade" -> Optional.of(new Precision.Cascade());
        default -> throw node.expected("an integer from 1 to 8, auto, cascade or {within: TIME}");
      };
    }
    return bits(node).map(Precision.Exactly::new);
  }

  private static QueueSettings queue(SettingsNode node) throws InvalidSettingsException {
    node.of(Set.of("target", "limit"));
    try {
      return new QueueSettings(
          node.member("target").duration(QueueSettings.STANDARD.target()),
          node.member("limit").duration(QueueSettings.STANDARD.limit()));
    } catch (IllegalArgumentException unfit) {
      throw new InvalidSettingsException("%s: %s".formatted(NAME, unfit.getMessage()));
    }
  }

  private static BatchingSettings batching(SettingsNode node) throws InvalidSettingsException {
    node.of(Set.of("max-rows", "max-delay", "preferred-rows", "padding"));
    BatchingSettings standard = BatchingSettings.STANDARD;
    try {
      return new BatchingSettings(
          (int) node.member("max-rows").integer(standard.maxRows(), 1, MAX_BATCH_ROWS),
          node.member("max-delay").duration(standard.maxDelay()),
          node.member("preferred-rows").integers(1, MAX_BATCH_ROWS).stream()
              .map(Long::intValue)
              .toList(),
          padding(node.member("padding")));
    } catch (IllegalArgumentException unfit) {
      throw new InvalidSettingsException("%s: %s".formatted(NAME, unfit.getMessage()));
    }
  }

  private static BatchingSettings.Padding padding(SettingsNode node)
      throws InvalidSettingsException {
    if (!node.isPresent()) {
      return BatchingSettings.STANDARD.padding();
    }
    return switch (node.value().asText()) {
      case "bucket" -> BatchingSettings.Padding.BUCKET;
      case "equal" -> BatchingSettings.Padding.EQUAL;
      default -> throw node.expected("bucket or equal");
    };
  }

  private static Optional<ShadowSettings> shadow(SettingsNode node)
      throws InvalidSettingsException {
    if (!node.isPresent()) {
      return Optional.empty();
    }
    node.of(Set.of("bits", "share", "cosine"));
    try {
      return Optional.of(
          new ShadowSettings(
              bits(node.member("bits")).orElse(new Bits(Bits.MAX)),
              node.member("share").number(0),
              node.member("cosine").number(ShadowSettings.STANDARD_COSINE)));
    } catch (IllegalArgumentException unfit) {
      throw new InvalidSettingsException("%s: %s".formatted(NAME, unfit.getMessage()));
    }
  }

  private static Optional<Bits> bits(SettingsNode node) throws InvalidSettingsException {
    return node.isPresent()
        ? Optional.of(new Bits((int) node.integer(1, 1, Bits.MAX)))
        : Optional.empty();
  }

  private static ModelSettings.WarmUp warmUp(SettingsNode node) throws InvalidSettingsException {
    node.of(Set.of("runs", "rows"));
    return new ModelSettings.WarmUp(
        (int) node.member("runs").integer(1, 0, 1000),
        (int) node.member("rows").integer(1, 1, 1024));
  }

  private static Map<Long, URI> sources(SettingsNode node) throws InvalidSettingsException {
    Map<Long, URI> sources = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.entries()) {
      if (!entry.getKey().matches("[1-9][0-9]{0,17}")) {
        throw new InvalidSettingsException(
            "%s: source: got '%s', expected a version".formatted(NAME, entry.getKey()));
      }
      sources.put(Long.parseLong(entry.getKey()), location(node.member(entry.getKey())));
    }
    return sources;
  }

  private static URI location(SettingsNode node) throws InvalidSettingsException {
    try {
      URI location = new URI(node.value().isTextual() ? node.value().textValue() : "");
      if (Set.of("http", "https").contains(String.valueOf(location.getScheme()))
          && location.getHost() != null) {
        return location;
      }
    } catch (URISyntaxException notOne) {
      // Refused below with everything else that is none.
    }
    throw node.expected("an http or https URL");
  }
}
