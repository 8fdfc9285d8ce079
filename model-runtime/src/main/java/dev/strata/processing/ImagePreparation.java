package dev.strata.processing;

import dev.strata.graph.DataType;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Image files, or FP32 samples in 0..1, to the normalised NCHW input. Images that get different
/// widths go into different batches.
public record ImagePreparation(Preprocessing.Image image) implements InputPreparation {

  private static final int WIDTH_STEP = 32;

  public ImagePreparation {
    if (image.channels() != 1 && image.channels() != 3) {
      throw new IllegalArgumentException(
          "preprocessing.channels: got %d, expected 1 or 3".formatted(image.channels()));
    }
    if (!List.of("RGB", "BGR").contains(image.channelOrder())) {
      throw new IllegalArgumentException(
          "preprocessing.channelOrder: got '%s', expected RGB or BGR"
              .formatted(image.channelOrder()));
    }
    if (image.mean().size() != image.channels() || image.std().size() != image.channels()) {
      throw new IllegalArgumentException(
          "preprocessing: got %d means and %d deviations, expected %d of each"
              .formatted(image.mean().size(), image.std().size(), image.channels()));
    }
  }

  @Override
  public List<PreparedBatch> prepare(Map<String, Tensor> inputs) {
    Tensor input = inputs.get(image.input());
    return switch (input.type()) {
      case BYTES -> files(InputChecks.elements(image.input(), input));
      case FP32 -> List.of(samples(input));
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP64 ->
          throw new RejectedInputException(
              "input '%s': got type %s, expected %s (PNG or JPEG files) or %s"
                  .formatted(image.input(), input.type(), DataType.BYTES, DataType.FP32));
    };
  }

  private List<PreparedBatch> files(List<byte[]> files) {
    Map<Integer, List<Integer>> elementsByWidth = new TreeMap<>();
    List<float[]> planes = new ArrayList<>(files.size());
    for (int i = 0; i < files.size(); i++) {
      float[] one;
      try {
        one = planes(DecodedImage.decode(files.get(i)));
      } catch (UnusableImageException unusable) {
        throw RejectedInputException.element(image.input(), i, unusable.getMessage());
      }
      planes.add(one);
      int width = one.length / image.channels() / image.height();
      elementsByWidth.computeIfAbsent(width, any -> new ArrayList<>()).add(i);
    }
    List<PreparedBatch> batches = new ArrayList<>();
    elementsByWidth.forEach((width, elements) -> batches.add(batch(width, elements, planes)));
    return batches;
  }

  private PreparedBatch batch(int width, List<Integer> elements, List<float[]> planes) {
    int size = image.channels() * image.height() * width;
    float[] values = new float[Math.multiplyExact(elements.size(), size)];
    for (int row = 0; row < elements.size(); row++) {
      System.arraycopy(planes.get(elements.get(row)), 0, values, row * size, size);
    }
    Shape shape = Shape.of(elements.size(), image.channels(), image.height(), width);
    return new PreparedBatch(Map.of(image.graphInput(), Tensor.of(shape, values)), elements);
  }

  /// @return `[channels][height][width]`, normalised and padded
  public float[] planes(DecodedImage decoded) {
    int contentWidth = contentWidth(decoded);
    float[] resized = BilinearResize.resize(decoded, contentWidth, image.height());
    int width = graphWidth(contentWidth);
    float[] planes = new float[image.channels() * image.height() * width];
    for (int c = 0; c < image.channels(); c++) {
      float mean = image.mean().get(c);
      float std = image.std().get(c);
      for (int y = 0; y < image.height(); y++) {
        for (int x = 0; x < contentWidth; x++) {
          float sample = sample(resized, 3 * (y * contentWidth + x), c);
          planes[(c * image.height() + y) * width + x] = (sample - mean) / std;
        }
      }
    }
    return planes;
  }

  private float sample(float[] pixels, int at, int channel) {
    if (image.channels() == 1) {
      // Equal samples stay what they are: weights of 0.299 and so on would only round them.
      boolean grey = pixels[at] == pixels[at + 1] && pixels[at] == pixels[at + 2];
      return grey
          ? pixels[at]
          : 0.299f * pixels[at] + 0.587f * pixels[at + 1] + 0.114f * pixels[at + 2];
    }
    return pixels[at + (image.channelOrder().equals("BGR") ? 2 - channel : channel)];
  }

  private int contentWidth(DecodedImage decoded) {
    return switch (image.fit()) {
      case STRETCH -> image.width();
      case KEEP_RATIO -> {
        double ratio = (double) decoded.width() / decoded.height();
        yield Math.clamp((long) Math.ceil(image.height() * ratio), 1, image.maxWidth());
      }
    };
  }

  private int graphWidth(int contentWidth) {
    return switch (image.fit()) {
      case STRETCH -> image.width();
      case KEEP_RATIO ->
          Math.clamp(
              (long) Math.ceilDiv(contentWidth, WIDTH_STEP) * WIDTH_STEP,
              image.width(),
              image.maxWidth());
    };
  }

  private PreparedBatch samples(Tensor input) {
    Shape shape = input.shape();
    boolean widthFits =
        shape.rank() == 4
            && switch (image.fit()) {
              case STRETCH -> shape.dim(3) == image.width();
              case KEEP_RATIO -> shape.dim(3) >= image.width() && shape.dim(3) <= image.maxWidth();
            };
    if (!widthFits
        || shape.dim(0) < 1
        || shape.dim(1) != image.channels()
        || shape.dim(2) != image.height()) {
      throw new RejectedInputException(
          "input '%s': got shape %s, expected [at least 1, %d, %d, %s]"
              .formatted(image.input(), shape, image.channels(), image.height(), expectedWidth()));
    }
    float[] values = input.toFloats();
    int plane = Math.toIntExact(shape.dim(2) * shape.dim(3));
    for (int i = 0; i < values.length; i++) {
      int channel = i / plane % image.channels();
      values[i] = (values[i] - image.mean().get(channel)) / image.std().get(channel);
    }
    return new PreparedBatch(
        Map.of(image.graphInput(), Tensor.of(shape, values)),
        IntStream.range(0, Math.toIntExact(shape.dim(0))).boxed().toList());
  }

  private String expectedWidth() {
    return switch (image.fit()) {
      case STRETCH -> Integer.toString(image.width());
      case KEEP_RATIO -> "%d to %d".formatted(image.width(), image.maxWidth());
    };
  }
}
