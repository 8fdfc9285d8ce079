package dev.strata.gateway;

import static io.restassured.RestAssured.given;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.restassured.response.Response;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/// A Prometheus that runs on this machine, by its HTTP API.
record Prometheus(int port) {
  private static final Set<Object> NO_NUMBERS = Set.of("NaN", "+Inf", "-Inf");

  /// One series of an answer.
  record Sample(Map<String, String> labels, double value) {}

  /// @return the series that have a number now: a share of nothing is no answer
  List<Sample> ask(String query) {
    Response answer = given().port(port).queryParam("query", query).get("/api/v1/query");
    assertEquals(200, answer.statusCode(), () -> query + ": " + answer.asString());
    List<Map<String, String>> labels = answer.jsonPath().getList("data.result.metric");
    List<List<Object>> values = answer.jsonPath().getList("data.result.value");
    return IntStream.range(0, labels.size())
        .filter(i -> !NO_NUMBERS.contains(values.get(i).getLast()))
        .mapToObj(
            i -> new Sample(labels.get(i), Double.parseDouble(values.get(i).getLast().toString())))
        .toList();
  }
}
