package dev.strata.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every overlay, rendered: nothing may be wrong with it. And what each check is for, done to the
/// manifests: it must be found.
final class ManifestsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @BeforeAll
  static void tools() {
    assertTrue(Kubectl.available() || System.getenv("CI") == null, "no kubectl: npm ci is missing");
    assumeTrue(Kubectl.available(), "no kubectl: npm ci in k8s/src/test/schemas is missing");
  }

  static List<Kustomization> kustomizations() throws IOException {
    return Kustomization.all();
  }

  @ParameterizedTest
  @MethodSource("kustomizations")
  void nothingIsWrong(Kustomization kustomization) throws Exception {
    List<JsonNode> objects = Kubectl.render(kustomization.folder());
    assertTrue(objects.size() >= 4, () -> "objects: " + objects.size());
    assertFalse(Pod.of(objects).isEmpty(), "pods");
    assertEquals(List.of(), violations(objects));
  }

  private static List<String> violations(List<JsonNode> objects)
      throws IOException, InterruptedException {
    List<String> violations = new ArrayList<>(Schemas.violations(objects));
    violations.addAll(PodSecurity.violations(objects));
    violations.addAll(Agreement.violations(objects));
    return violations;
  }

  /// A change of a rendered object, and the word by which a check must complain.
  ///
  /// @param pointer into the object
  /// @param value in JSON; `-` takes the field away
  private record Mistake(String overlay, String object, String pointer, String value, String word) {

    static List<Mistake> read(String table) {
      return table
          .lines()
          .map(line -> line.split("\\|"))
          .map(
              cells ->
                  new Mistake(
                      cells[0].strip(),
                      cells[1].strip(),
                      cells[2].strip(),
                      cells[3].strip(),
                      cells[4].strip()))
          .toList();
    }

    /// The overlay's objects with the change.
    List<JsonNode> made() throws IOException, InterruptedException {
      List<JsonNode> objects = Kubectl.render(Path.of("overlays", overlay));
      change(changed(objects), pointer, value);
      return objects;
    }

    JsonNode changed(List<JsonNode> objects) {
      return objects.stream()
          .filter(each -> Pod.name(each).startsWith(object))
          .findFirst()
          .orElseThrow();
    }

    void isNamed(List<String> violations) {
      assertTrue(
          violations.stream().anyMatch(violation -> violation.contains(word)),
          () -> "%s: expected '%s', got %s".formatted(pointer, word, violations));
    }
  }

  @Test
  void schemasFindMistakes() throws Exception {
    List<Mistake> mistakes =
        Mistake.read(
            """
            production-keda | Deployment strata              | /spec/template/spec/containers/0/imagePulPolicy | "Always"  | imagePulPolicy
            production-keda | Deployment strata              | /spec/strategy/rollingUpdate/maxSurg            | 1         | maxSurg
            production-keda | Deployment strata              | /spec/selector                                  | -         | selector
            production-keda | Deployment strata              | /spec/minReadySeconds                           | "five"    | minReadySeconds
            production-keda | Deployment strata              | /apiVersion                                     | "apps/v2" | no kind Deployment in apps/v2
            production-keda | ScaledObject strata            | /spec/triggers/0/typ                            | "cpu"     | typ
            production-keda | ScaledObject strata            | /spec/scaleTargetRef                            | -         | scaleTargetRef
            production-keda | PodMonitor strata              | /spec/podMetricsEndpoints/0/pat                 | "/"       | pat
            production-keda | GRPCRoute strata               | /spec/rules/0/backendRefs/0/weigth              | 5         | weigth
            production-keda | HTTPRoute strata               | /spec/rules/0/backendRefs/0/weight              | 1000001   | weight
            production      | HorizontalPodAutoscaler strata | /spec/metrics/0/resource/target/type            | -         | type
            kserve          | ClusterServingRuntime strata   | /spec/protocolVersions/0                        | "v3"      | v3
            kserve          | InferenceService sentences     | /spec/predictor/model/storageUrl                | "s3://a"  | storageUrl
            """);
    List<JsonNode> objects = new ArrayList<>();
    for (Mistake mistake : mistakes) {
      objects.add(mistake.changed(mistake.made()));
    }
    // One run for all: it takes seconds to read the types.
    List<String> violations = Schemas.violations(objects);
    mistakes.forEach(mistake -> mistake.isNamed(violations));
  }

  @Test
  void podSecurityFindsMistakes() throws Exception {
    for (Mistake mistake :
        Mistake.read(
            """
            production-keda | Deployment strata            | /spec/template/spec/securityContext/runAsNonRoot                        | false                                        | runAsNonRoot
            production-keda | Deployment strata            | /spec/template/spec/securityContext/runAsUser                           | 0                                            | runAsUser
            production-keda | Deployment strata            | /spec/template/spec/securityContext/seccompProfile/type                 | "Unconfined"                                 | seccompProfile
            production-keda | Deployment strata            | /spec/template/spec/containers/0/securityContext/capabilities/drop      | []                                           | capabilities.drop
            production-keda | Deployment strata            | /spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem | -                                            | readOnlyRootFilesystem
            production-keda | Deployment strata            | /spec/template/spec/hostNetwork                                         | true                                         | hostNetwork
            production-keda | Deployment strata            | /spec/template/spec/volumes/1                                           | {"name": "cache", "hostPath": {"path": "/"}} | hostPath
            kserve          | ClusterServingRuntime strata | /spec/containers/0/securityContext/allowPrivilegeEscalation             | true                                         | allowPrivilegeEscalation
            """)) {
      mistake.isNamed(PodSecurity.violations(mistake.made()));
    }
  }

  @Test
  void disagreementIsFound() throws Exception {
    for (Mistake mistake :
        Mistake.read(
            """
            production-keda | ConfigMap strata-settings      | /data/STRATA_SHUTDOWN_DELAYS                                  | "5s"                       | no setting STRATA_SHUTDOWN_DELAYS
            production-keda | ConfigMap strata-settings      | /data/STRATA_MODEL_CONTROL                                    | "manual"                   | strata.model-control
            production-keda | ConfigMap strata-settings      | /data/STRATA_SECURITY_API_KEYS                                | -                          | no keys
            production-keda | ConfigMap strata-settings      | /data/STRATA_SECURITY_API_KEYS                                | "/secret/keys"             | nothing is mounted at /secret/keys
            production-keda | ConfigMap strata-settings      | /data/STRATA_GRPC_PORT                                        | "9001"                     | port 9000
            production-keda | ConfigMap strata-settings      | /data/STRATA_MANAGEMENT_PORT                                  | -                          | port 8081
            production-keda | ConfigMap strata-settings      | /data/STRATA_SHUTDOWN_TIMEOUT                                 | "45s"                      | terminationGracePeriodSeconds
            production-keda | ConfigMap strata-settings      | /data/STRATA_SCHEDULING_WORKERS                               | "4"                        | STRATA_SCHEDULING_WORKERS
            production-keda | ConfigMap strata-settings      | /data/STRATA_MEMORY_BUDGET_BYTES                              | "2147483648"               | memory
            production-keda | ConfigMap strata-settings      | /data/STRATA_CACHE_MAX_BYTES                                  | "4294967296"               | STRATA_CACHE_MAX_BYTES
            production-keda | Deployment strata              | /spec/template/spec/containers/0/readinessProbe/httpGet/port  | "manage"                   | there is no port
            production-keda | Deployment strata              | /spec/template/spec/volumes/0/persistentVolumeClaim/claimName | "other"                    | no claim other
            production-keda | Deployment strata              | /spec/template/spec/securityContext/runAsUser                 | 10002                      | the image's user is 10001
            production-keda | Deployment strata              | /spec/template/spec/containers/0/volumeMounts/3/mountPath     | "/scratch"                 | a volume at /tmp
            production-keda | Deployment strata              | /spec/replicas                                                | 3                          | own number of replicas
            production-keda | Service strata                 | /spec/selector/strata.dev~1track                              | "next"                     | selects 0
            production-keda | Service strata-headless        | /spec/ports/0/appProtocol                                     | -                          | h2c
            production-keda | NetworkPolicy strata           | /spec/ingress/0/ports/0/port                                  | "web"                      | no pod has the port
            production-keda | HTTPRoute strata               | /spec/rules/0/backendRefs/0/port                              | 80                         | no service
            canary          | GRPCRoute strata               | /spec/rules/0/backendRefs/1/name                              | "strata-next"              | no service
            production-keda | ScaledObject strata            | /spec/triggers/1/metadata/query                               | "sum(strata_wait_seconds)" | no metric strata_wait_seconds
            production      | HorizontalPodAutoscaler strata | /spec/metrics/1/pods/metric/name                              | "queue"                    | no_rule_of_the_adapter
            """)) {
      mistake.isNamed(Agreement.violations(mistake.made()));
    }
  }

  private static void change(JsonNode object, String pointer, String value) throws IOException {
    int last = pointer.lastIndexOf('/');
    JsonNode parent = object.at(pointer.substring(0, last));
    String name = pointer.substring(last + 1).replace("~1", "/");
    switch (parent) {
      case ArrayNode array -> array.set(Integer.parseInt(name), JSON.readTree(value));
      case ObjectNode fields when value.equals("-") -> fields.remove(name);
      case ObjectNode fields -> fields.set(name, JSON.readTree(value));
      default -> throw new IllegalArgumentException("there is nothing at " + pointer);
    }
  }

  @Test
  void twoAutoscalersOfOneDeploymentAreFound() throws Exception {
    List<JsonNode> objects = new ArrayList<>(Kubectl.render(Path.of("overlays/production")));
    Kubectl.render(Path.of("overlays/production-keda")).stream()
        .filter(object -> object.path("kind").asText().equals("ScaledObject"))
        .forEach(objects::add);
    assertEquals(
        List.of("ScaledObject strata: strata has two autoscalers"), Agreement.violations(objects));
  }

  @Test
  void composeRunsTheImageAsItIsMade() throws Exception {
    Image image = Image.read(Path.of("../deploy/Dockerfile"));
    JsonNode gateway =
        Kubectl.read(Path.of("../deploy/compose.yaml")).getFirst().at("/services/gateway");
    assertTrue(gateway.path("user").asText().startsWith(image.user() + ":"), "user");
    assertTrue(gateway.path("read_only").asBoolean(), "read_only");
    List<String> writable = new ArrayList<>();
    gateway.path("tmpfs").forEach(mount -> writable.add(mount.asText().replaceFirst(":.*", "")));
    assertEquals(image.volumes(), Set.copyOf(writable), "tmpfs");
    Set<Integer> ports = new HashSet<>();
    gateway
        .path("ports")
        .forEach(port -> ports.add(Integer.valueOf(port.asText().replaceFirst(".*:", ""))));
    assertEquals(image.ports(), ports, "ports");
  }

  @Test
  void theOperatorGetsTheRulesAndTheDashboards() throws Exception {
    ArrayNode groups = JSON.createArrayNode();
    for (String file : List.of("recording.rules.yml", "alert.rules.yml")) {
      Kubectl.read(Path.of("../deploy/prometheus", file))
          .getFirst()
          .path("groups")
          .forEach(groups::add);
    }
    List<JsonNode> objects = Kubectl.render(Path.of("overlays/production"));
    List<JsonNode> rules =
        objects.stream()
            .filter(object -> object.path("kind").asText().equals("PrometheusRule"))
            .toList();
    assertEquals(1, rules.size(), "PrometheusRule");
    assertEquals(
        groups,
        rules.getFirst().path("spec").path("groups"),
        "k8s/components/monitoring/rules.yaml is not what deploy/prometheus has");
    assertEquals(
        4,
        objects.stream()
            .filter(object -> object.at("/metadata/labels/grafana_dashboard").asText().equals("1"))
            .count(),
        "dashboards");
  }

  /// `promtool` reads every query that an autoscaler asks, as the expression of a recording rule.
  @Test
  void prometheusUnderstandsTheQueries() throws Exception {
    Path promtool = Path.of("/usr/bin/promtool");
    assertTrue(Files.isExecutable(promtool) || System.getenv("CI") == null, "promtool is missing");
    assumeTrue(Files.isExecutable(promtool), "promtool is missing");
    Function<String, String> filledIn =
        query ->
            query
                .replace("<<.GroupBy>>", "pod")
                .replace("<<.LabelMatchers>>", "pod=~\"strata-.*\"");
    ArrayNode rules = JSON.createArrayNode();
    for (String overlay : List.of("production", "production-keda")) {
      for (JsonNode object : Kubectl.render(Path.of("overlays", overlay))) {
        for (String query : Agreement.queries(object)) {
          rules
              .addObject()
              .put("record", "query:" + rules.size())
              .put("expr", filledIn.apply(query));
        }
      }
    }
    assertEquals(6, rules.size(), "three of each autoscaler");
    Path file = Path.of("target/queries.yaml");
    JSON.writeValue(
        file.toFile(),
        JSON.createObjectNode()
            .set(
                "groups",
                JSON.createArrayNode()
                    .add(JSON.createObjectNode().put("name", "queries").set("rules", rules))));
    assertTrue(
        Kubectl.run("", promtool.toString(), "check", "rules", file.toString())
            .contains("SUCCESS: 6 rules found"));
  }
}
