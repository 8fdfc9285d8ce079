package dev.strata.gateway.registry;

import dev.strata.graph.DataType;
import dev.strata.graph.ModelDescription;
import dev.strata.graph.Preprocessing;
import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorSpec;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/// Inputs of a model's kind with nothing in them, for warming it up: zeros, a short text, a black
/// picture.
final class SampleInputs {

  private static final int PICTURE_PIXELS = 32;
  private static final byte[] TEXT = "warm up".getBytes(StandardCharsets.UTF_8);

  private SampleInputs() {}

  /// @param rows the first dimension where it may vary; other variable dimensions are 1
  static Map<String, Tensor> of(ModelDescription description, int rows) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (TensorSpec spec : description.inputs()) {
      inputs.put(spec.name(), tensor(description.preprocessing(), spec, rows));
    }
    return inputs;
  }

  private static Tensor tensor(Preprocessing preprocessing, TensorSpec spec, int rows) {
    return switch (preprocessing) {
      case Preprocessing.Image _ -> Tensor.ofBytes(Collections.nCopies(rows, picture()));
      case Preprocessing.Text _ -> Tensor.ofBytes(Collections.nCopies(rows, TEXT));
      case Preprocessing.None _ -> zeros(spec, rows);
    };
  }

  private static Tensor zeros(TensorSpec spec, int rows) {
    List<Long> dims = new java.util.ArrayList<>(spec.shape().dims());
    for (int i = 0; i < dims.size(); i++) {
      if (dims.get(i) == Shape.VARIABLE) {
        dims.set(i, i == 0 ? (long) rows : 1L);
      }
    }
    Shape shape = new Shape(dims);
    return spec.type() == DataType.BYTES
        ? Tensor.ofBytes(Collections.nCopies(Math.toIntExact(shape.elements()), TEXT))
        : new Tensor(
            spec.type(),
            shape,
            MemorySegment.ofArray(
                new byte[Math.toIntExact(shape.elements() * spec.type().byteSize())]));
  }

  private static byte[] picture() {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try {
      ImageIO.write(
          new BufferedImage(PICTURE_PIXELS, PICTURE_PIXELS, BufferedImage.TYPE_BYTE_GRAY),
          "png",
          file);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    return file.toByteArray();
  }
}
