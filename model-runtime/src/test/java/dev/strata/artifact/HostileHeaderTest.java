package dev.strata.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.strata.testing.TinyModel;
import dev.strata.testing.TinyModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Headers made to break a reader. Those that are still JSON carry a correct hash, as an attacker's
/// would.
final class HostileHeaderTest {
  private static final String METADATA = "__metadata__";

  private final JsonMapper mapper = new JsonMapper();

  @TempDir Path folder;

  private Path file;
  private String header;
  private byte[] data;

  @BeforeEach
  void writeArtifact() throws IOException {
    try (TinyModel model = TinyModels.withSeed(7)) {
      file = model.writeTo(folder.resolve("model.strata"));
    }
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    header = new String(bytes, 8, length, StandardCharsets.UTF_8);
    data = Arrays.copyOfRange(bytes, 8 + length, bytes.length);
  }

  @Test
  void theHarnessItselfMakesAFileThatOpens() throws IOException {
    write(sealed(json -> {}));
    ModelArtifact.open(file).close();
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        0,
        1,
        (16 << 20) + 1,
        Integer.MAX_VALUE,
        1L << 40,
        Long.MAX_VALUE,
        -1,
        Long.MIN_VALUE
      })
  void headerLengthsOutOfBounds(long length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(0, length).array());
    refused("a header length of");
  }

  @Test
  void aHeaderLongerThanTheFile() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(0, 1024).array());
    refused("a file of at least 1032 bytes");
  }

  @Test
  void aFileThatIsNoArtifact() throws IOException {
    Files.writeString(file, "PK not an artifact");
    refused("header");
    Files.write(file, new byte[0]);
    refused("at least 8 bytes");
  }

  @Test
  void deepJson() throws IOException {
    write("{\"a\":" + "[".repeat(1 << 20));
    refused("header");
    write("{\"t\":{\"shape\":" + "[".repeat(1 << 20));
    refused("header");
    String op = "\"op\":{\"op\":";
    write(model(text -> text.replace(op, "\"op\":{\"x\":" + "[".repeat(10_000) + op)));
    refused("depth");
  }

  @Test
  void duplicateNames() throws IOException {
    write(header.replaceFirst("\\{\"dtype\"", "{\"dtype\":\"U8\",\"dtype\""));
    refused("Duplicate field");
    write(header.strip().replaceFirst("\\}$", ",\"shift\":{}}"));
    refused("Duplicate field");
    write(header.strip().replaceFirst("\"strata.format\":\"1\"", "$0,$0"));
    refused("Duplicate field");
    write(model(text -> text.replaceFirst("\"labels\":\\[", "\"labels\":[],$0")));
    refused("Duplicate field");
  }

  @Test
  void textBehindTheJsonAndBytesThatAreNotUtf8() throws IOException {
    write(header.strip() + "{}");
    refused("one JSON object");
    byte[] bytes = Files.readAllBytes(file);
    bytes[12] = (byte) 0xff;
    Files.write(file, bytes);
    refused("UTF-8");
  }

  @Test
  void negativeAndOverflowingShapes() throws IOException {
    write(tensor("shift", tensor -> shape(tensor, "[-16]")));
    refused("numbers of 0 and more");
    write(tensor("shift", tensor -> shape(tensor, "[4611686018427387904,4]")));
    refused("less than 2^63 bytes");
    write(tensor("shift", tensor -> shape(tensor, "[9223372036854775807]")));
    refused("less than 2^63 bytes");
    write(tensor("shift", tensor -> shape(tensor, "[92233720368547758070]")));
    refused("header");
    write(tensor("shift", tensor -> shape(tensor, "[1e1]")));
    refused("header");
    write(tensor("shift", tensor -> shape(tensor, "[17]")));
    refused("tensor 'shift' of 68 bytes");
  }

  @Test
  void overlappingAndScatteredTensors() throws IOException {
    write(tensor("hidden.groups", tensor -> offsets(tensor, 0, 160)));
    refused("an overlap");
    write(tensor("hidden.groups", tensor -> offsets(tensor, 128, 288)));
    refused("a hole");
    write(tensor("hidden.groups", tensor -> offsets(tensor, 288, 128)));
    refused("data_offsets [288, 128]");
    write(tensor("shift", tensor -> offsets(tensor, Long.MAX_VALUE - 64, Long.MAX_VALUE)));
    refused("header");
  }

  @Test
  void unknownTypesAndKeys() throws IOException {
    write(tensor("shift", tensor -> tensor.put("dtype", "F16")));
    refused("dtype U8, F32 or I64");
    write(tensor("shift", tensor -> tensor.put("colour", "red")));
    refused("'colour'");
    write(tensor("shift", tensor -> tensor.remove("dtype")));
    refused("dtype, shape, data_offsets");
    write(metadata(metadata -> metadata.put("strata.format", "2")));
    refused("strata.format \"1\", found 2");
    write(model(text -> text.replaceFirst("\\{", "{\"surprise\":1,")));
    refused("surprise");
    write(model(text -> text.replace("\"op\":\"linear\"", "\"op\":\"java.lang.Runtime\"")));
    refused("java.lang.Runtime");
  }

  @Test
  void prefixTablesThatDoNotFit() throws IOException {
    write(prefix(text -> "[]"));
    refused("strata.prefix");
    write(prefix(text -> "[null]"));
    refused("strata.prefix");
    write(prefix(text -> text.replaceFirst("\"section\":1", "\"section\":2")));
    refused("section 1");
    write(prefix(text -> text.replaceFirst("\"length\":\\d+", "\"length\":-1")));
    refused("a length of at least");
    write(prefix(text -> text.replaceFirst("\"length\":\\d+", "\"length\":9223372036854775807")));
    refused("a length of at least");
    write(prefix(text -> text.replaceFirst("\"sha256\":\"..", "\"sha256\":\"../")));
    refused("a SHA-256");
  }

  @Test
  void modelsThatContradictTheirTensors() throws IOException {
    write(model(text -> text.replaceFirst("\"columns\":16", "\"columns\":2147483647")));
    refused("padded columns");
    write(model(text -> text.replaceFirst("\"rows\":72", "\"rows\":2147483632")));
    refused("header");
    write(model(text -> text.replaceFirst("\"rows\":72", "\"rows\":88")));
    refused("tensor 'hidden.groups'");
    write(
        model(
            text -> text.replaceFirst("\"shape\":\\[16\\]", "\"shape\":[4294967296,4294967296]")));
    refused("header");
    write(model(text -> text.replaceFirst("\"name\":\"head\"", "\"name\":\"hidden\"")));
    refused("header");
    write(model(text -> text.replace("\"defaultBits\":8", "\"defaultBits\":9")));
    refused("bits: got 9");
    write(model(text -> text.replaceFirst("\"planes\":5", "\"planes\":3")));
    refused("profile of 5 bits");
    write(
        model(
            text ->
                text.replaceFirst(
                    "\"profiles\":\\[.*\\],\"provenance\"", "\"profiles\":[],\"provenance\"")));
    refused("profiles: got none");
    write(model(text -> "null"));
    refused("strata.model");
    write(model(text -> text.replaceFirst("\"nodes\":\\[", "\"nodes\":[null,")));
    refused("strata.model");
    write(model(text -> text.replaceFirst("\\{\"planes\":4,[^}]*\\}\\}", "null")));
    refused("strata.model");
    write(model(text -> text.replaceFirst("\"graph\":\\{", "\"graph\":null,\"x\":{")));
    refused("header");
  }

  private void refused(String message) {
    CorruptArtifactException failure =
        assertThrows(CorruptArtifactException.class, () -> ModelArtifact.open(file).close());
    assertEquals(ArtifactSection.HEADER, failure.section(), failure.getMessage());
    assertTrue(failure.getMessage().contains(message), failure.getMessage());
  }

  private static void shape(ObjectNode tensor, String shape) {
    tensor.putRawValue("shape", new com.fasterxml.jackson.databind.util.RawValue(shape));
  }

  private static void offsets(ObjectNode tensor, long begin, long end) {
    ArrayNode offsets = tensor.putArray("data_offsets");
    offsets.add(begin).add(end);
  }

  private String tensor(String name, Consumer<ObjectNode> change) throws JsonProcessingException {
    return sealed(json -> change.accept((ObjectNode) json.get(name)));
  }

  private String metadata(Consumer<ObjectNode> change) throws JsonProcessingException {
    return sealed(json -> change.accept((ObjectNode) json.get(METADATA)));
  }

  private String model(UnaryOperator<String> change) throws JsonProcessingException {
    String json = metadata(metadata -> replace(metadata, HeaderJson.MODEL, change));
    int shift = room(json) - header.length();
    return metadata(
        metadata -> {
          replace(metadata, HeaderJson.MODEL, change);
          if (shift > 0) {
            replace(metadata, HeaderJson.PREFIX, text -> moved(text, shift));
          }
        });
  }

  private String prefix(UnaryOperator<String> change) throws JsonProcessingException {
    return metadata(metadata -> replace(metadata, HeaderJson.PREFIX, change));
  }

  /// A prefix table whose sections all lie further behind.
  private static String moved(String prefix, int shift) {
    return Pattern.compile("(?<=\"length\":)\\d+")
        .matcher(prefix)
        .replaceAll(length -> Long.toString(Long.parseLong(length.group()) + shift));
  }

  private static void replace(ObjectNode metadata, String key, UnaryOperator<String> change) {
    String before = metadata.get(key).textValue();
    String after = change.apply(before);
    if (after.equals(before)) {
      throw new AssertionError("the change of " + key + " changes nothing");
    }
    metadata.put(key, after);
  }

  /// The header with a change, ready for its hash.
  private String sealed(Consumer<ObjectNode> change) throws JsonProcessingException {
    ObjectNode json = (ObjectNode) mapper.readTree(header);
    ObjectNode metadata = (ObjectNode) json.get(METADATA);
    metadata.put(HeaderJson.HEADER_SHA256, HeaderHash.ZEROS);
    change.accept(json);
    return mapper.writeValueAsString(json);
  }

  /// Bytes that a header takes once it is padded.
  private int room(String json) {
    int length = json.getBytes(StandardCharsets.UTF_8).length;
    return Math.max(header.length(), Math.ceilDiv(length + 8, 64) * 64 - 8);
  }

  /// Writes a header, padded to where the data began before, in front of the data.
  private void write(String json) throws IOException {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    int room = room(json);
    byte[] padded = Arrays.copyOf(text, room);
    Arrays.fill(padded, text.length, room, (byte) ' ');
    if (json.contains(HeaderHash.ZEROS)) {
      padded = HeaderHash.seal(padded);
    }
    ByteBuffer bytes = ByteBuffer.allocate(8 + room + data.length).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(file, bytes.putLong(room).put(padded).put(data).array());
  }
}
