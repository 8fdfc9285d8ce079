package dev.strata.loadtest.scenario;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// Reads scenarios from YAML; `docs/loadtest.md` describes the keys. Files are relative to the
/// scenario's folder.
public final class ScenarioFile {
  private static final int VARIANTS = 64;
  private static final long MOST_ELEMENTS = 1 << 26;
  private static final List<String> WORDS =
      List.of(
          "a",
          "and",
          "bridge",
          "carries",
          "cat",
          "city",
          "cold",
          "door",
          "engine",
          "field",
          "for",
          "garden",
          "green",
          "house",
          "in",
          "letter",
          "light",
          "long",
          "morning",
          "mountain",
          "my",
          "near",
          "night",
          "of",
          "old",
          "on",
          "open",
          "over",
          "paper",
          "quick",
          "rain",
          "reads",
          "river",
          "road",
          "runs",
          "school",
          "sleeps",
          "small",
          "song",
          "stone",
          "street",
          "sun",
          "table",
          "the",
          "through",
          "to",
          "train",
          "tree",
          "under",
          "walks",
          "warm",
          "water",
          "white",
          "wind",
          "window",
          "winter",
          "with",
          "writes",
          "yellow",
          "young");

  private final Path folder;
  private final long seed;

  private ScenarioFile(Path folder, long seed) {
    this.folder = folder;
    this.seed = seed;
  }

  /// @throws InvalidScenarioException if the file is no scenario
  public static Scenario read(Path file) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper(new YAMLFactory()).readTree(Files.readString(file, UTF_8));
    } catch (JsonProcessingException broken) {
      throw new InvalidScenarioException("%s: %s".formatted(file, broken.getOriginalMessage()));
    }
    try (Fields fields = Fields.of("", root)) {
      long seed = (long) fields.number("seed", 7, 0, 1L << 53);
      Path folder = file.toAbsolutePath().getParent();
      return new ScenarioFile(folder, seed).scenario(fields, seed);
    }
  }

  private Scenario scenario(Fields fields, long seed) throws IOException {
    Scenario.Target target;
    try (Fields at = fields.below("target")) {
      target =
          new Scenario.Target(
              at.text("rest", "http://127.0.0.1:8080"), at.text("grpc", "127.0.0.1:9000"));
    }
    Scenario.Limits limits;
    try (Fields bounds = fields.below("limits")) {
      limits =
          new Scenario.Limits(
              bounds.number("seconds", 300, 0.1, 86_400),
              bounds.integer("requests", 100_000, 1, 10_000_000),
              bounds.integer("in_flight", 1_000, 1, 100_000));
    }
    List<Call> calls = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Fields call : fields.list("calls")) {
      try (call) {
        for (Call read : calls(call)) {
          if (!names.add(read.name())) {
            throw call.wrong("name", read.name(), "a name that no other call has");
          }
          calls.add(read);
        }
      }
    }
    List<Phase> phases = new ArrayList<>();
    for (Fields phase : fields.list("phases")) {
      try (phase) {
        phases.add(phase(phase, names));
      }
    }
    return new Scenario(
        fields.text("name", "load"),
        target,
        seed,
        limits,
        fields.number("deadline_ms", Double.POSITIVE_INFINITY, 0.001, 3_600_000),
        fields.number("warm_up_seconds", 0, 0, 3_600),
        calls,
        phases);
  }

  /// One call, or one for each width of its `bits`.
  private List<Call> calls(Fields fields) throws IOException {
    String model = fields.text("model");
    String name = fields.text("name", model);
    Call call =
        new Call(
            name,
            fields.number("weight", 1, 1e-6, 1e6),
            model,
            protocol(fields),
            parameters(fields),
            payloads(fields));
    if (!fields.has("bits")) {
      return List.of(call);
    }
    List<Call> calls = new ArrayList<>();
    for (String bits : fields.texts("bits")) {
      if (!bits.matches("[1-8]")) {
        throw fields.wrong("bits", bits, "widths from 1 to 8");
      }
      calls.add(
          call.at(Integer.parseInt(bits)).named("%s at %s bits".formatted(call.name(), bits)));
    }
    return calls;
  }

  private static Call.Protocol protocol(Fields fields) {
    String protocol = fields.text("protocol", "grpc");
    return switch (protocol.toLowerCase(Locale.ROOT)) {
      case "grpc" -> Call.Protocol.GRPC;
      case "rest" -> Call.Protocol.REST;
      default -> throw fields.wrong("protocol", protocol, "grpc or rest");
    };
  }

  private static Map<String, Object> parameters(Fields fields) {
    try (Fields parameters = fields.below("parameters")) {
      return parameters.scalars();
    }
  }

  /// Calls whose inputs are described alike send the same ones.
  private List<Payload> payloads(Fields call) throws IOException {
    try (Fields input = call.below("input")) {
      String name = input.text("name");
      if (input.has("texts")) {
        return input.texts("texts").stream()
            .map(text -> Payload.ofBytes(name, text.getBytes(UTF_8)))
            .toList();
      }
      if (input.has("words")) {
        try (Fields words = input.below("words")) {
          int from = words.integer("from", 5, 1, 10_000);
          int to = words.integer("to", Math.max(from, 20), from, 10_000);
          return sentences(name, from, to);
        }
      }
      if (input.has("files")) {
        List<Payload> payloads = new ArrayList<>();
        for (String file : input.texts("files")) {
          Path path = folder.resolve(file);
          if (!Files.isReadable(path)) {
            throw input.wrong("files", path, "readable files");
          }
          payloads.add(Payload.ofBytes(name, Files.readAllBytes(path)));
        }
        return payloads;
      }
      if (input.has("shape")) {
        return floats(input, name);
      }
      throw new InvalidScenarioException(
          "%s: expected one of texts, words, files, shape".formatted(call.path("input")));
    }
  }

  private List<Payload> sentences(String name, int from, int to) {
    Random random = new Random(seed);
    List<Payload> payloads = new ArrayList<>();
    for (int i = 0; i < VARIANTS; i++) {
      List<String> words = new ArrayList<>();
      for (int count = from + random.nextInt(to - from + 1); count > 0; count--) {
        words.add(WORDS.get(random.nextInt(WORDS.size())));
      }
      payloads.add(Payload.ofBytes(name, String.join(" ", words).getBytes(UTF_8)));
    }
    return payloads;
  }

  /// Tensors of normally distributed floats.
  private List<Payload> floats(Fields input, String name) {
    List<Long> shape = new ArrayList<>();
    long elements = 1;
    for (String text : input.texts("shape")) {
      if (!text.matches("[1-9][0-9]{0,8}")) {
        throw input.wrong("shape", text, "positive dimensions");
      }
      shape.add(Long.parseLong(text));
      elements *= shape.getLast();
      if (elements > MOST_ELEMENTS) {
        throw input.wrong("shape", shape, "at most %d elements".formatted(MOST_ELEMENTS));
      }
    }
    Random random = new Random(seed);
    List<Payload> payloads = new ArrayList<>();
    int variants = Math.clamp(MOST_ELEMENTS / elements / 8, 1, VARIANTS);
    for (int i = 0; i < variants; i++) {
      float[] values = new float[(int) elements];
      for (int j = 0; j < values.length; j++) {
        values[j] = (float) random.nextGaussian();
      }
      payloads.add(Payload.ofFloats(name, shape, values));
    }
    return payloads;
  }

  private Phase phase(Fields fields, Set<String> calls) throws IOException {
    if (fields.has("trace")) {
      return trace(fields, folder.resolve(fields.text("trace")), calls);
    }
    double seconds = fields.number("seconds", 0.01, 86_400);
    if (fields.has("users")) {
      return new Phase.Closed(seconds, fields.integer("users", 1, 1, 10_000));
    }
    double rate = fields.number("rate", 0.001, 1e6);
    String arrivals = fields.text("arrivals", "poisson");
    if (!arrivals.equals("poisson") && !arrivals.equals("fixed")) {
      throw fields.wrong("arrivals", arrivals, "poisson or fixed");
    }
    return new Phase.Open(
        seconds, rate, fields.number("to_rate", rate, 0.001, 1e6), arrivals.equals("poisson"));
  }

  /// A CSV file: milliseconds from the beginning and, if wanted, the name of the call.
  private static Phase trace(Fields fields, Path file, Set<String> calls) throws IOException {
    if (!Files.isReadable(file)) {
      throw fields.wrong("trace", file, "a readable file");
    }
    List<Phase.Trace.Arrival> arrivals = new ArrayList<>();
    double last = 0;
    int number = 0;
    for (String line : Files.readAllLines(file, UTF_8)) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] cells = line.split(",", 2);
      String call = cells.length > 1 ? cells[1].strip() : "";
      double at;
      try {
        at = Double.parseDouble(cells[0].strip()) / 1_000;
      } catch (NumberFormatException wrong) {
        at = -1;
      }
      if (!(at >= last && at < 86_400) || !(call.isEmpty() || calls.contains(call))) {
        throw new InvalidScenarioException(
            "%s line %d: got '%s', expected milliseconds that do not fall, and one of %s or nothing"
                .formatted(file, number, line, calls));
      }
      last = at;
      arrivals.add(new Phase.Trace.Arrival(at, call));
    }
    if (arrivals.isEmpty()) {
      throw fields.wrong("trace", file, "at least one line");
    }
    return new Phase.Trace(last + 1, arrivals);
  }
}
