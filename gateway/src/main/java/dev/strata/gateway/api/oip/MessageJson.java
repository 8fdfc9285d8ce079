package dev.strata.gateway.api.oip;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/// Writes a protobuf message as the protocol's REST clients read it: names as in the schema,
/// every number a JSON number, every scalar there even when it is zero, enums by name.
/// Protobuf's own JSON renames fields and makes strings of long numbers.
final class MessageJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  private MessageJson() {}

  static byte[] write(Message message) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      object(json, message);
    } catch (IOException impossible) {
      throw new UncheckedIOException("writing to memory", impossible);
    }
    return out.toByteArray();
  }

  private static void object(JsonGenerator json, Message message) throws IOException {
    json.writeStartObject();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.isMapField()) {
        json.writeFieldName(field.getName());
        map(json, (List<?>) message.getField(field));
      } else if (field.isRepeated()) {
        json.writeFieldName(field.getName());
        json.writeStartArray();
        for (Object item : (List<?>) message.getField(field)) {
          value(json, item);
        }
        json.writeEndArray();
      } else if (!field.hasPresence() || message.hasField(field)) {
        json.writeFieldName(field.getName());
        value(json, message.getField(field));
      }
    }
    json.writeEndObject();
  }

  private static void map(JsonGenerator json, List<?> entries) throws IOException {
    json.writeStartObject();
    for (Object entry : entries) {
      Message pair = (Message) entry;
      List<FieldDescriptor> fields = pair.getDescriptorForType().getFields();
      json.writeFieldName(String.valueOf(pair.getField(fields.get(0))));
      value(json, pair.getField(fields.get(1)));
    }
    json.writeEndObject();
  }

  private static void value(JsonGenerator json, Object value) throws IOException {
    switch (value) {
      case Message message -> object(json, message);
      case EnumValueDescriptor named -> json.writeString(named.getName());
      case Boolean flag -> json.writeBoolean(flag);
      case Integer number -> json.writeNumber(number);
      case Long number -> json.writeNumber(number);
      case Double number -> json.writeNumber(number);
      case String text -> json.writeString(text);
      default -> throw new AssertionError("no JSON form for " + value.getClass());
    }
  }
}
