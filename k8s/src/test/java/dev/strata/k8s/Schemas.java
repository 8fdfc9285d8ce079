package dev.strata.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;

/// The objects against the schemas of Kubernetes and of the extensions: `src/test/schemas`.
final class Schemas {

  private Schemas() {}

  static List<String> violations(List<JsonNode> objects) throws IOException, InterruptedException {
    String input = new ObjectMapper().writeValueAsString(objects);
    return Kubectl.run(input, "node", "src/test/schemas/validate.mjs").lines().toList();
  }
}
