package dev.strata.trainer.onnx;

import java.util.Collections;
import java.util.List;

/// One spatial axis of a convolution or pooling node.
///
/// @param axis which spatial axis, 0 first
/// @param axes how many there are
/// @param kernel taps along it
record SlidingAxis(Attributes attributes, int axis, int axes, long kernel) {

  long stride() {
    return setting("strides", axis, 1, axes);
  }

  long dilation() {
    return setting("dilations", axis, 1, axes);
  }

  /// Padding before and after.
  ///
  /// @throws ModelImportException if it depends on a size that is not known
  long[] padding(Extent size) {
    return switch (attributes.text("auto_pad", "NOTSET")) {
      case "SAME_UPPER" -> same(size, false);
      case "SAME_LOWER" -> same(size, true);
      case "VALID" -> new long[] {0, 0};
      default ->
          new long[] {
            setting("pads", axis, 0, 2 * axes), setting("pads", axis + axes, 0, 2 * axes)
          };
    };
  }

  /// The output has ceil(size / stride) places; an odd padding goes to the end, or with `lower` to
  /// the start.
  private long[] same(Extent size, boolean lower) {
    long span = dilation() * (kernel - 1) + 1;
    long total;
    if (stride() == 1) {
      total = span - 1;
    } else if (size.isKnown()) {
      total = Math.max(0, (Math.ceilDiv(size.size(), stride()) - 1) * stride() + span - size.size());
    } else {
      throw new ModelImportException(
          "auto_pad %s with stride %d needs a fixed image size"
              .formatted(attributes.text("auto_pad", ""), stride()));
    }
    long small = total / 2;
    return lower ? new long[] {total - small, small} : new long[] {small, total - small};
  }

  Extent output(Extent size) {
    long[] padding;
    try {
      padding = padding(size);
    } catch (ModelImportException unknownSize) {
      return Extent.unknown("same(%s,%d)".formatted(size, stride()));
    }
    long span = dilation() * (kernel - 1) + 1 - padding[0] - padding[1];
    if (stride() == 1 && span == 1) {
      return size;
    }
    boolean ceil = attributes.flag("ceil_mode", false);
    if (!size.isKnown()) {
      return Extent.unknown("window(%s,%d,%d,%b)".formatted(size, span, stride(), ceil));
    }
    long steps = size.size() - span;
    return Extent.of(
        (ceil ? Math.ceilDiv(steps, stride()) : Math.floorDiv(steps, stride())) + 1);
  }

  private long setting(String name, int index, long absent, int count) {
    List<Long> values = attributes.integers(name, Collections.nCopies(count, absent));
    return index < values.size() ? values.get(index) : absent;
  }
}
