package dev.strata.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.strata.gateway.GatewayConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.ConfigMappings;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What no schema can know: that the objects fit one another, and the gateway.
final class Agreement {

  private static final Path ROOT = Path.of("..");
  private static final Path ADAPTER_RULES = Path.of("components/hpa/adapter-rules.yaml");

  /// Room between the end of the drain and the kill.
  private static final Duration SPARE = Duration.ofSeconds(10);

  /// Scratch of the kernels, thread stacks and buffers of the network: docs/kubernetes.md.
  private static final long OTHER_BYTES = 256L << 20;

  private static final Pattern METRIC = Pattern.compile("\\bstrata_[a-z0-9_]+");
  private static final Pattern QUANTITY = Pattern.compile("([0-9.]+)(m|Ki|Mi|Gi|Ti)?");

  private final List<JsonNode> objects;
  private final List<String> violations = new ArrayList<>();

  private Agreement(List<JsonNode> objects) {
    this.objects = objects;
  }

  static List<String> violations(List<JsonNode> objects) throws IOException {
    return new Agreement(objects).check();
  }

  private List<String> check() throws IOException {
    for (Pod pod : Pod.of(objects)) {
      probes(pod);
      mounts(pod);
      image(pod);
      if (settings(pod)) {
        ports(pod);
        shutdown(pod);
        sizes(pod);
      }
    }
    services();
    policies();
    routes();
    autoscalers();
    monitors();
    return violations;
  }

  /// Names are the gateway's, values are of their types, and the server will let itself be started.
  ///
  /// @return whether the values can be read at all
  private boolean settings(Pod pod) throws IOException {
    Set<String> known =
        ConfigMappings.getProperties(ConfigMappings.ConfigClass.configClass(GatewayConfig.class))
            .keySet()
            .stream()
            .map(Agreement::asEnvironment)
            .collect(Collectors.toSet());
    String documented = Files.readString(ROOT.resolve("docs/operations.md"));
    Matcher quarkus = Pattern.compile("`(quarkus[a-z.]+)").matcher(documented);
    known.addAll(quarkus.results().map(name -> asEnvironment(name.group(1))).toList());
    for (String name : pod.environment().keySet()) {
      require(
          known.contains(name) || name.equals("JDK_JAVA_OPTIONS"),
          pod.owner(),
          "the gateway has no setting %s",
          name);
    }
    try {
      GatewayConfig config = config(pod);
      require(
          config.loopbackOnly()
              || config.security().open()
              || config.security().apiKeys().isPresent(),
          pod.owner(),
          "others can reach it, and there are no keys");
      return true;
    } catch (RuntimeException wrong) {
      require(false, pod.owner(), "settings: %s", wrong.getMessage());
      return false;
    }
  }

  private static GatewayConfig config(Pod pod) {
    SmallRyeConfig config =
        new SmallRyeConfigBuilder()
            .withConverter(Duration.class, 200, new DurationConverter())
            .withMapping(GatewayConfig.class)
            .withSources(new EnvConfigSource(pod.environment(), 300))
            .build();
    return config.getConfigMapping(GatewayConfig.class);
  }

  private static String asEnvironment(String property) {
    return property.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
  }

  /// The image's user, and what it must be able to write to.
  private void image(Pod pod) throws IOException {
    Image image = Image.read(ROOT.resolve("deploy/Dockerfile"));
    JsonNode user = pod.spec().at("/securityContext/runAsUser");
    require(
        user.isMissingNode() || user.asLong() == image.user(),
        pod.owner(),
        "runAsUser %s: the image's user is %d",
        user,
        image.user());
    Set<String> mounted = new HashSet<>();
    pod.container().path("volumeMounts").forEach(m -> mounted.add(m.path("mountPath").asText()));
    for (String volume : image.volumes()) {
      require(mounted.contains(volume), pod.owner(), "the image wants a volume at %s", volume);
    }
  }

  /// Where the gateway listens is what the container says.
  private void ports(Pod pod) throws IOException {
    Properties defaults = new Properties();
    try (var file =
        Files.newBufferedReader(
            ROOT.resolve("gateway/src/main/resources/application.properties"))) {
      defaults.load(file);
    }
    GatewayConfig config = config(pod);
    Set<Integer> listening = new TreeSet<>();
    listening.add(
        Integer.valueOf(
            pod.environment()
                .getOrDefault("QUARKUS_HTTP_PORT", defaults.getProperty("quarkus.http.port"))));
    listening.add(config.grpc().port());
    config.management().port().ifPresent(listening::add);
    for (JsonNode port : pod.container().path("ports")) {
      int number = port.path("containerPort").asInt();
      require(
          listening.contains(number),
          pod.owner(),
          "port %d: the gateway listens on %s",
          number,
          listening);
    }
  }

  private void probes(Pod pod) {
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      JsonNode port = pod.container().path(probe).at("/httpGet/port");
      if (!port.isMissingNode()) {
        require(hasPort(pod, port), pod.owner(), "%s: there is no port %s", probe, port);
      }
    }
  }

  private static boolean hasPort(Pod pod, JsonNode port) {
    String field = port.isTextual() ? "name" : "containerPort";
    return any(pod.container().path("ports"), known -> known.path(field).equals(port));
  }

  /// Every path of a setting lies in a volume, writable where the gateway writes; every volume
  /// that comes from an object of ours finds it.
  private void mounts(Pod pod) {
    pod.environment()
        .forEach(
            (name, value) -> {
              boolean kserve = value.startsWith("/mnt/models");
              if (value.startsWith("/") && !kserve) {
                boolean writes = name.equals("STRATA_CACHE_DIRECTORY");
                require(
                    any(
                        pod.container().path("volumeMounts"),
                        mount ->
                            Path.of(value).startsWith(mount.path("mountPath").asText())
                                && !(writes && mount.path("readOnly").asBoolean())),
                    pod.owner(),
                    "%s: nothing is mounted at %s",
                    name,
                    value);
              }
            });
    for (JsonNode volume : pod.spec().path("volumes")) {
      String claim = volume.at("/persistentVolumeClaim/claimName").asText();
      require(
          claim.isEmpty() || !Pod.find(objects, "PersistentVolumeClaim", claim).isMissingNode(),
          pod.owner(),
          "there is no claim %s",
          claim);
    }
    for (JsonNode mount : pod.container().path("volumeMounts")) {
      require(
          any(pod.spec().path("volumes"), volume -> volume.path("name").equals(mount.path("name"))),
          pod.owner(),
          "there is no volume %s",
          mount.path("name"));
    }
  }

  private void shutdown(Pod pod) {
    GatewayConfig.Shutdown shutdown = config(pod).shutdown();
    Duration grace =
        Duration.ofSeconds(pod.spec().path("terminationGracePeriodSeconds").asLong(30));
    Duration drain = shutdown.delay().plus(shutdown.timeout()).plus(SPARE);
    require(
        grace.compareTo(drain) >= 0,
        pod.owner(),
        "terminationGracePeriodSeconds: got %s, expected at least %s",
        grace,
        drain);
  }

  private void sizes(Pod pod) {
    JsonNode limits = pod.container().at("/resources/limits");
    GatewayConfig config = config(pod);
    String java = pod.environment().getOrDefault("JDK_JAVA_OPTIONS", "");
    long needed =
        config.memory().budgetBytes().orElse(Long.MAX_VALUE / 2)
            + megabytes(java, "-Xmx")
            + megabytes(java, "-XX:MaxMetaspaceSize=")
            + megabytes(java, "-XX:ReservedCodeCacheSize=")
            + OTHER_BYTES;
    require(
        needed <= quantity(limits, "memory"),
        pod.owner(),
        "memory: got a limit of %s, expected at least %,d bytes",
        limits.path("memory"),
        needed);
    require(
        config.scheduling().workers().orElse(Integer.MAX_VALUE) + 1 <= quantity(limits, "cpu"),
        pod.owner(),
        "cpu: got a limit of %s, expected one more than STRATA_SCHEDULING_WORKERS",
        limits.path("cpu"));
    Path cache = config.cache().directory().orElse(Path.of("/"));
    for (JsonNode mount : pod.container().path("volumeMounts")) {
      if (cache.startsWith(mount.path("mountPath").asText())) {
        JsonNode volume =
            pod.spec()
                .path("volumes")
                .valueStream()
                .filter(each -> each.path("name").equals(mount.path("name")))
                .findFirst()
                .orElseThrow();
        require(
            config.cache().maxBytes() < quantity(volume.path("emptyDir"), "sizeLimit"),
            pod.owner(),
            "STRATA_CACHE_MAX_BYTES: got %d, expected less than the volume's size",
            config.cache().maxBytes());
      }
    }
  }

  private static long megabytes(String options, String option) {
    Matcher found = Pattern.compile(Pattern.quote(option) + "(\\d+)m").matcher(options);
    return found.find() ? Long.parseLong(found.group(1)) << 20 : Long.MAX_VALUE / 8;
  }

  /// @return 0 if it is missing, so that what has no limit has no room
  private static long quantity(JsonNode quantities, String name) {
    Matcher quantity = QUANTITY.matcher(quantities.path(name).asText("0"));
    if (!quantity.matches()) {
      return 0;
    }
    String unit = quantity.group(2) == null ? "" : quantity.group(2);
    BigDecimal number = new BigDecimal(quantity.group(1));
    return switch (unit) {
      case "m" -> number.movePointLeft(3).longValue();
      case "Ki" -> number.longValue() << 10;
      case "Mi" -> number.longValue() << 20;
      case "Gi" -> number.longValue() << 30;
      case "Ti" -> number.longValue() << 40;
      default -> number.longValue();
    };
  }

  /// Selectors find pods, and named ports are theirs.
  private void services() {
    for (JsonNode service : ofKind("Service")) {
      List<Pod> selected = selected(service, "/spec/selector");
      for (JsonNode port : service.at("/spec/ports")) {
        require(
            any(selected, pod -> hasPort(pod, port.path("targetPort"))),
            Pod.name(service),
            "no pod has the port %s",
            port.path("targetPort"));
        require(
            !port.path("name").asText().equals("grpc")
                || port.path("appProtocol").asText().equals("kubernetes.io/h2c"),
            Pod.name(service),
            "gRPC needs appProtocol kubernetes.io/h2c, got %s",
            port.path("appProtocol"));
      }
    }
    for (JsonNode budget : ofKind("PodDisruptionBudget")) {
      selected(budget, "/spec/selector/matchLabels");
    }
    for (JsonNode deployment : ofKind("Deployment")) {
      selected(deployment, "/spec/selector/matchLabels");
    }
  }

  private void policies() {
    for (JsonNode policy : ofKind("NetworkPolicy")) {
      List<Pod> selected = selected(policy, "/spec/podSelector/matchLabels");
      for (JsonNode rule : policy.at("/spec/ingress")) {
        for (JsonNode port : rule.path("ports")) {
          require(
              any(selected, pod -> hasPort(pod, port.path("port"))),
              Pod.name(policy),
              "no pod has the port %s",
              port.path("port"));
        }
      }
    }
  }

  private List<Pod> selected(JsonNode object, String selector) {
    JsonNode labels = object.at(selector);
    List<Pod> selected =
        Pod.of(objects).stream()
            .filter(
                pod ->
                    labels.properties().stream()
                        .allMatch(
                            label -> label.getValue().equals(pod.labels().path(label.getKey()))))
            .toList();
    require(
        !labels.isEmpty() && selected.size() == 1,
        Pod.name(object),
        "selects %d kinds of pods, expected one",
        labels.isEmpty() ? 0 : selected.size());
    return selected;
  }

  private void routes() {
    for (JsonNode route : objects) {
      if (route.path("kind").asText().endsWith("Route")) {
        for (JsonNode rule : route.at("/spec/rules")) {
          for (JsonNode backend : rule.path("backendRefs")) {
            JsonNode service = Pod.find(objects, "Service", backend.path("name").asText());
            require(
                any(
                    service.at("/spec/ports"),
                    port -> port.path("port").equals(backend.path("port"))),
                Pod.name(route),
                "there is no service %s with port %s",
                backend.path("name"),
                backend.path("port"));
          }
        }
      }
    }
  }

  /// At most one for each Deployment, whose number of replicas is then its own, and only by
  /// figures that there are.
  private void autoscalers() throws IOException {
    Set<String> scaled = new HashSet<>();
    for (JsonNode object : objects) {
      String kind = object.path("kind").asText();
      if (kind.equals("HorizontalPodAutoscaler") || kind.equals("ScaledObject")) {
        String target = object.at("/spec/scaleTargetRef/name").asText();
        JsonNode deployment = Pod.find(objects, "Deployment", target);
        require(!deployment.isMissingNode(), Pod.name(object), "there is no %s to scale", target);
        require(
            deployment.at("/spec/replicas").isMissingNode(),
            Pod.name(object),
            "%s sets its own number of replicas",
            target);
        require(scaled.add(target), Pod.name(object), "%s has two autoscalers", target);
        for (String query : queries(object)) {
          metrics(Pod.name(object), query);
        }
      }
    }
  }

  /// What an autoscaler asks Prometheus; an HPA asks through the adapter's rules.
  static List<String> queries(JsonNode autoscaler) throws IOException {
    List<String> queries = new ArrayList<>();
    for (JsonNode trigger : autoscaler.at("/spec/triggers")) {
      if (trigger.path("type").asText().equals("prometheus")) {
        queries.add(trigger.at("/metadata/query").asText());
      }
    }
    JsonNode rules = Kubectl.read(ADAPTER_RULES).getFirst().at("/rules/custom");
    for (JsonNode metric : autoscaler.at("/spec/metrics")) {
      JsonNode name = metric.at("/pods/metric/name");
      if (!name.isMissingNode()) {
        queries.add(
            rules
                .valueStream()
                .filter(rule -> rule.at("/name/as").equals(name))
                .map(rule -> rule.path("metricsQuery").asText())
                .findFirst()
                .orElse("strata_" + name.asText() + "_has_no_rule_of_the_adapter"));
      }
    }
    return queries;
  }

  /// Series that docs/operations.md lists, and so the gateway's.
  private void metrics(String owner, String query) throws IOException {
    Set<String> documented =
        METRIC
            .matcher(Files.readString(ROOT.resolve("docs/operations.md")))
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toSet());
    for (String metric : names(query)) {
      String base = metric.replaceFirst("_(bucket|count|sum)$", "");
      require(
          documented.contains(metric) || documented.contains(base),
          owner,
          "docs/operations.md has no metric %s",
          metric);
    }
  }

  /// Names of our series in a query.
  static Set<String> names(String query) {
    return METRIC.matcher(query).results().map(MatchResult::group).collect(Collectors.toSet());
  }

  private void monitors() {
    for (JsonNode monitor : ofKind("PodMonitor")) {
      for (JsonNode endpoint : monitor.at("/spec/podMetricsEndpoints")) {
        require(
            any(Pod.of(objects), pod -> hasPort(pod, endpoint.path("port"))),
            Pod.name(monitor),
            "no pod has the port %s",
            endpoint.path("port"));
      }
    }
  }

  private List<JsonNode> ofKind(String kind) {
    return objects.stream().filter(object -> object.path("kind").asText().equals(kind)).toList();
  }

  private static <T> boolean any(Iterable<T> all, Predicate<T> predicate) {
    for (T each : all) {
      if (predicate.test(each)) {
        return true;
      }
    }
    return false;
  }

  @FormatMethod
  private void require(
      boolean holds, String owner, @FormatString String message, Object... values) {
    if (!holds) {
      violations.add("%s: %s".formatted(owner, message.formatted(values)));
    }
  }
}
