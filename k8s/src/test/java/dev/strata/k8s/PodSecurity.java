package dev.strata.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The Pod Security Standard "restricted" of Kubernetes 1.35, and what we ask beyond it: a root
/// file system that cannot be written, and no token of the API server.
///
/// Source: kubernetes.io/docs/concepts/security/pod-security-standards; volumes also of kind
/// `image`, which the admission controller accepts since 1.33.
final class PodSecurity {

  private static final Set<String> VOLUMES =
      Set.of(
          "configMap",
          "csi",
          "downwardAPI",
          "emptyDir",
          "ephemeral",
          "image",
          "persistentVolumeClaim",
          "projected",
          "secret");
  private static final Set<String> PROFILES = Set.of("RuntimeDefault", "Localhost");

  private final Pod pod;
  private final List<String> violations = new ArrayList<>();

  private PodSecurity(Pod pod) {
    this.pod = pod;
  }

  static List<String> violations(List<JsonNode> objects) {
    return Pod.of(objects).stream().flatMap(pod -> new PodSecurity(pod).check().stream()).toList();
  }

  private List<String> check() {
    JsonNode spec = pod.spec();
    for (String namespace : List.of("hostNetwork", "hostPID", "hostIPC")) {
      require(!spec.path(namespace).asBoolean(), namespace);
    }
    require(!spec.path("hostUsers").asBoolean(), "hostUsers");
    require(spec.at("/securityContext/sysctls").isMissingNode(), "sysctls");
    for (JsonNode volume : spec.path("volumes")) {
      volume
          .properties()
          .forEach(
              field ->
                  require(
                      field.getKey().equals("name") || VOLUMES.contains(field.getKey()),
                      "volume %s: %s".formatted(volume.path("name").asText(), field.getKey())));
    }
    // A runtime of KServe has no field for it; KServe's own webhook decides.
    if (!pod.owner().contains("ServingRuntime")) {
      require(
          !spec.path("automountServiceAccountToken").asBoolean(true),
          "automountServiceAccountToken");
    }
    for (String kind : List.of("containers", "initContainers", "ephemeralContainers")) {
      spec.path(kind).forEach(this::container);
    }
    return violations;
  }

  private void container(JsonNode container) {
    JsonNode own = container.path("securityContext");
    require(!own.path("privileged").asBoolean(), "privileged");
    require(!own.path("allowPrivilegeEscalation").asBoolean(true), "allowPrivilegeEscalation");
    require(own.path("readOnlyRootFilesystem").asBoolean(), "readOnlyRootFilesystem");
    require(effective(container, "runAsNonRoot").asBoolean(), "runAsNonRoot");
    require(effective(container, "runAsUser").asInt(1) != 0, "runAsUser");
    JsonNode profile = effective(container, "seccompProfile").path("type");
    require(PROFILES.contains(profile.asText()), "seccompProfile");
    require(own.at("/capabilities/drop").toString().contains("\"ALL\""), "capabilities.drop");
    for (JsonNode added : own.at("/capabilities/add")) {
      require(added.asText().equals("NET_BIND_SERVICE"), "capabilities.add");
    }
    require(own.path("procMount").asText("Default").equals("Default"), "procMount");
    for (JsonNode port : container.path("ports")) {
      require(port.path("hostPort").asInt() == 0, "hostPort");
    }
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      require(container.path(probe).at("/httpGet/host").isMissingNode(), probe + ".host");
    }
  }

  /// A container's own word counts, then the pod's.
  private JsonNode effective(JsonNode container, String field) {
    JsonNode own = container.path("securityContext").path(field);
    return own.isMissingNode() ? pod.spec().path("securityContext").path(field) : own;
  }

  private void require(boolean holds, String what) {
    if (!holds) {
      violations.add("%s: pod security: %s".formatted(pod.owner(), what));
    }
  }
}
