package dev.strata.trainer.eval;

import dev.strata.graph.DataType;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.trainer.data.Idx;
import dev.strata.trainer.data.Npz;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Client inputs of many samples, to calibrate with or to measure on.
///
/// @param samples one sample each, as a client would send it: every tensor's first axis is 1
/// @param truth the right answer of each sample: a class number, a label or a text; may be empty
public record SampleSet(List<Map<String, Tensor>> samples, List<String> truth) {

  private static final String LABELS = "labels";

  public SampleSet {
    samples = List.copyOf(samples);
    truth = List.copyOf(truth);
    if (!truth.isEmpty() && truth.size() != samples.size()) {
      throw new IllegalArgumentException(
          "labels: got %d for %d samples".formatted(truth.size(), samples.size()));
    }
  }

  public int size() {
    return samples.size();
  }

  /// @return the samples `from` to before `to`, or to the last
  public SampleSet range(int from, int to) {
    int end = Math.min(to, size());
    return new SampleSet(
        samples.subList(Math.min(from, end), end),
        truth.isEmpty() ? truth : truth.subList(Math.min(from, end), end));
  }

  public SampleSet withTruth(List<String> right) {
    return new SampleSet(samples, right.subList(0, Math.min(right.size(), size())));
  }

  /// Texts for one BYTES input.
  public static SampleSet ofTexts(String input, List<String> texts) {
    return new SampleSet(
        texts.stream().map(text -> bytes(input, text.getBytes(StandardCharsets.UTF_8))).toList(),
        List.of());
  }

  /// Image files for one BYTES input.
  public static SampleSet ofImages(String input, List<byte[]> files, List<String> truth) {
    return new SampleSet(files.stream().map(file -> bytes(input, file)).toList(), truth);
  }

  /// Grey images as FP32 `[1, 1, height, width]` in 0..1.
  ///
  /// @throws IllegalArgumentException if the images have another size
  public static SampleSet ofIdx(Preprocessing.Image image, Idx images) {
    int size = image.height() * image.width();
    if (images.sampleSize() != size) {
      throw new IllegalArgumentException(
          "IDX images: got %d pixels each, expected %d x %d"
              .formatted(images.sampleSize(), image.height(), image.width()));
    }
    Shape shape = Shape.of(1, 1, image.height(), image.width());
    List<Map<String, Tensor>> samples = new ArrayList<>();
    for (int i = 0; i < images.samples(); i++) {
      float[] values = new float[size];
      for (int j = 0; j < size; j++) {
        values[j] = images.value(i, j) / 255f;
      }
      samples.add(Map.of(image.input(), Tensor.of(shape, values)));
    }
    return new SampleSet(samples, List.of());
  }

  /// Class numbers of an IDX file of labels.
  public static List<String> labelsOf(Idx labels) {
    return IntStream.range(0, labels.samples())
        .mapToObj(i -> Integer.toString(labels.value(i, 0)))
        .toList();
  }

  /// Arrays by input name; an array `labels` holds class numbers.
  ///
  /// @throws IllegalArgumentException if the arrays have different numbers of samples
  public static SampleSet ofArrays(Map<String, Tensor> arrays) {
    Map<String, Tensor> inputs = new LinkedHashMap<>(arrays);
    Tensor labels = inputs.remove(LABELS);
    int count = sampleCount(inputs);
    List<Map<String, Tensor>> samples = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Map<String, Tensor> sample = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
        sample.put(input.getKey(), row(input.getValue(), i));
      }
      samples.add(sample);
    }
    List<String> truth =
        labels == null
            ? List.of()
            : java.util.Arrays.stream(labels.toLongs()).mapToObj(Long::toString).toList();
    return new SampleSet(samples, truth);
  }

  /// Reads what the file is: `.npz` arrays by input name, a `.txt` of one text a line, a folder of
  /// PNG and JPEG files, else IDX images (plain or gzipped).
  ///
  /// @param preprocessing says what the model's one input is called when the file does not
  /// @throws IOException if the file is unreadable or of no kind that the model takes
  public static SampleSet read(Path data, Preprocessing preprocessing) throws IOException {
    String name = data.toString();
    if (name.endsWith(".npz")) {
      return ofArrays(Npz.read(data));
    }
    return switch (preprocessing) {
      case Preprocessing.Text text -> {
        requireKind(name.endsWith(".txt"), data, "a .txt file with one text a line");
        yield ofTexts(text.input(), lines(data));
      }
      case Preprocessing.Image image -> {
        if (Files.isDirectory(data)) {
          yield ofImages(image.input(), imageFiles(data), List.of());
        }
        yield ofIdx(image, Idx.read(data));
      }
      case Preprocessing.None none -> {
        requireKind(false, data, "an .npz file");
        throw new AssertionError();
      }
    };
  }

  /// Right answers: one a line in a `.txt`, else an IDX file of labels.
  public static List<String> readTruth(Path file) throws IOException {
    return file.toString().endsWith(".txt") ? lines(file) : labelsOf(Idx.read(file));
  }

  /// Joins samples along their first axis into one call's inputs. BYTES and equal shapes only.
  public static Map<String, Tensor> join(List<Map<String, Tensor>> samples) {
    Map<String, Tensor> joined = new TreeMap<>();
    for (String name : samples.getFirst().keySet()) {
      joined.put(name, join(name, samples));
    }
    return joined;
  }

  private static Tensor join(String name, List<Map<String, Tensor>> samples) {
    List<Tensor> parts = samples.stream().map(sample -> sample.get(name)).toList();
    Tensor first = parts.getFirst();
    if (first.type() == DataType.BYTES) {
      return Tensor.ofBytes(parts.stream().flatMap(part -> part.toByteArrays().stream()).toList());
    }
    long bytes = first.data().byteSize();
    MemorySegment data =
        MemorySegment.ofArray(new byte[Math.toIntExact(Math.multiplyExact(bytes, parts.size()))]);
    for (int i = 0; i < parts.size(); i++) {
      MemorySegment.copy(parts.get(i).data(), 0, data, i * bytes, bytes);
    }
    long[] dims = first.shape().toArray();
    dims[0] = parts.size();
    return new Tensor(first.type(), Shape.of(dims), data);
  }

  private static int sampleCount(Map<String, Tensor> inputs) {
    long count = -1;
    for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
      Shape shape = input.getValue().shape();
      long found = shape.rank() == 0 ? 0 : shape.dim(0);
      if (found < 1 || (count >= 0 && found != count)) {
        throw new IllegalArgumentException(
            "array '%s': got %d samples, expected %s"
                .formatted(input.getKey(), found, count < 0 ? "at least 1" : count));
      }
      count = found;
    }
    return Math.toIntExact(Math.max(0, count));
  }

  private static Tensor row(Tensor tensor, int index) {
    long[] dims = tensor.shape().toArray();
    long bytes = tensor.data().byteSize() / dims[0];
    dims[0] = 1;
    return new Tensor(tensor.type(), Shape.of(dims), tensor.data().asSlice(index * bytes, bytes));
  }

  private static Map<String, Tensor> bytes(String input, byte[] element) {
    return Map.of(input, Tensor.ofBytes(List.of(element)));
  }

  private static void requireKind(boolean fits, Path data, String expected) throws IOException {
    if (!fits) {
      throw new IOException("%s: expected %s for this model".formatted(data, expected));
    }
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
  }

  private static List<byte[]> imageFiles(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files =
          entries.filter(file -> file.toString().matches("(?i).*\\.(png|jpe?g)")).sorted().toList();
    }
    requireKind(!files.isEmpty(), folder, "PNG or JPEG files in it");
    List<byte[]> contents = new ArrayList<>();
    for (Path file : files) {
      contents.add(Files.readAllBytes(file));
    }
    return contents;
  }
}
