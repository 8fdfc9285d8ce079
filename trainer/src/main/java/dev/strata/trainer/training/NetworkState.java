package dev.strata.trainer.training;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;

/// Everything that training changes, as plain arrays by name: what a checkpoint holds. Sorted, so
/// that every walk over it has one order.
final class NetworkState {
  private static final String MAGIC = "strata-training-1";
  private static final int MOST_VALUES = 1 << 28;

  private final TreeMap<String, float[]> values = new TreeMap<>();
  private final TreeMap<String, float[]> velocities = new TreeMap<>();

  boolean has(String name) {
    return values.containsKey(name);
  }

  /// @return the array itself
  float[] get(String name) {
    float[] value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("training state has no '" + name + "'");
    }
    return value;
  }

  void put(String name, float[] value) {
    values.put(name, value);
  }

  /// Running momentum of a parameter, zeros at first; the array itself.
  float[] velocity(String name) {
    return velocities.computeIfAbsent(name, _ -> new float[get(name).length]);
  }

  /// Appears at `file` complete or not at all.
  ///
  /// @param owner what the state belongs to
  void write(Path file, String owner, int epoch) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(part)))) {
      out.writeUTF(MAGIC);
      out.writeUTF(owner);
      out.writeInt(epoch);
      write(out, values);
      write(out, velocities);
      out.writeUTF(MAGIC);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Replaces this state by a file's.
  ///
  /// @return the epochs it has been through
  /// @throws InvalidRunException if it is damaged or belongs to another run
  int read(Path file, String owner) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      if (!in.readUTF().equals(MAGIC)) {
        throw damaged(file);
      }
      if (!in.readUTF().equals(owner)) {
        throw new InvalidRunException(
            "%s: belongs to another run file or other data; delete it to start anew"
                .formatted(file));
      }
      int epoch = in.readInt();
      read(in, values, file);
      read(in, velocities, file);
      if (!in.readUTF().equals(MAGIC)) {
        throw damaged(file);
      }
      return epoch;
    } catch (EOFException | java.io.UTFDataFormatException cut) {
      throw damaged(file);
    }
  }

  private static InvalidRunException damaged(Path file) {
    return new InvalidRunException(
        "%s: is no checkpoint or damaged; delete it to start anew".formatted(file));
  }

  private static void write(DataOutputStream out, Map<String, float[]> arrays) throws IOException {
    out.writeInt(arrays.size());
    for (Map.Entry<String, float[]> array : arrays.entrySet()) {
      out.writeUTF(array.getKey());
      out.writeInt(array.getValue().length);
      for (float value : array.getValue()) {
        out.writeFloat(value);
      }
    }
  }

  private static void read(DataInputStream in, Map<String, float[]> into, Path file)
      throws IOException {
    into.clear();
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      String name = in.readUTF();
      int length = in.readInt();
      if (length < 0 || length > MOST_VALUES) {
        throw damaged(file);
      }
      float[] array = new float[length];
      for (int j = 0; j < length; j++) {
        array[j] = in.readFloat();
      }
      into.put(name, array);
    }
  }
}
