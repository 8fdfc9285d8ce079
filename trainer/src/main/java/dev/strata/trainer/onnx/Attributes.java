package dev.strata.trainer.onnx;

import dev.strata.onnx.AttributeProto;
import dev.strata.onnx.TensorProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The settings of a node by name.
record Attributes(Map<String, AttributeProto> byName) {
  static final Attributes NONE = new Attributes(Map.of());

  static Attributes of(List<AttributeProto> attributes) {
    Map<String, AttributeProto> byName = new TreeMap<>();
    attributes.forEach(attribute -> byName.put(attribute.getName(), attribute));
    return new Attributes(byName);
  }

  boolean has(String name) {
    return byName.containsKey(name);
  }

  long integer(String name, long absent) {
    return find(name).map(AttributeProto::getI).orElse(absent);
  }

  boolean flag(String name, boolean absent) {
    return integer(name, absent ? 1 : 0) != 0;
  }

  float real(String name, float absent) {
    return find(name).map(AttributeProto::getF).orElse(absent);
  }

  String text(String name, String absent) {
    return find(name).map(found -> found.getS().toStringUtf8()).orElse(absent);
  }

  Optional<List<Long>> integers(String name) {
    return find(name).map(AttributeProto::getIntsList);
  }

  List<Long> integers(String name, List<Long> absent) {
    return integers(name).orElse(absent);
  }

  Optional<List<Float>> reals(String name) {
    return find(name).map(AttributeProto::getFloatsList);
  }

  Optional<TensorProto> tensor(String name) {
    return find(name).map(AttributeProto::getT);
  }

  Attributes with(String name, long value) {
    return with(
        AttributeProto.newBuilder()
            .setName(name)
            .setI(value)
            .setType(AttributeProto.AttributeType.INT)
            .build());
  }

  Attributes with(String name, float value) {
    return with(
        AttributeProto.newBuilder()
            .setName(name)
            .setF(value)
            .setType(AttributeProto.AttributeType.FLOAT)
            .build());
  }

  Attributes with(String name, List<Long> values) {
    return with(
        AttributeProto.newBuilder()
            .setName(name)
            .addAllInts(values)
            .setType(AttributeProto.AttributeType.INTS)
            .build());
  }

  private Attributes with(AttributeProto attribute) {
    Map<String, AttributeProto> more = new TreeMap<>(byName);
    more.put(attribute.getName(), attribute);
    return new Attributes(more);
  }

  private Optional<AttributeProto> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }
}
