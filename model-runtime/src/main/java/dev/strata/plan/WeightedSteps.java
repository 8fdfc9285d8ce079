package dev.strata.plan;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.strata.graph.Activation;
import dev.strata.graph.Layer;
import dev.strata.graph.Op;
import dev.strata.graph.Shape;
import dev.strata.kernel.FloatKernels;
import dev.strata.kernel.FusedKernels;
import dev.strata.kernel.NativeKernels;
import dev.strata.kernel.Structs;
import dev.strata.precision.ActivationQuantizer;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// Steps of the layers with weights. Which kernel runs may depend on shapes; the result does not.
final class WeightedSteps {
  /// Most rows for which reading the planes is dearer than the products.
  private static final long STREAM_ROWS = 8;

  /// Bytes of an unrolled image that should stay in a core's cache.
  private static final long UNROLLED_BYTES = 1L << 20;

  /// Weight rows that kernels take together.
  private static final long PANEL_PAIR = 2L * PlaneLayout.PANEL_ROWS;

  private final Program program;

  WeightedSteps(Program program) {
    this.program = program;
  }

  /// Where a product goes and what is done to it on the way.
  ///
  /// @param stride floats from one row of the result to the next, all groups together
  private record Target(
      Activation activation, Optional<Region> residual, Region.Slot out, long stride) {

    List<Region> regions(Region... more) {
      List<Region> regions = new ArrayList<>(List.of(more));
      regions.add(out);
      residual.ifPresent(regions::add);
      return regions;
    }

    /// Writes the epilogue of the rows from `firstRow`, channels from `firstChannel`.
    MemorySegment epilogue(
        MemorySegment at,
        Program.Memory memory,
        MemorySegment bias,
        long firstRow,
        long firstChannel) {
      long from = (firstRow * stride + firstChannel) * Float.BYTES;
      MemorySegment added =
          residual.map(region -> memory.at(region, from)).orElse(MemorySegment.NULL);
      MemorySegment to = out.bytes() == 0 ? MemorySegment.NULL : memory.at(out, from);
      Structs.epilogue(at, bias, added, stride, activation, to, stride);
      return at;
    }
  }

  /// Images of activations as integers, with a scale for each sample.
  private record ImageCodes(Region codes, Region scale) {}

  Region linear(
      LayerWeights weights,
      Activation activation,
      Value x,
      Optional<Value> residual,
      Readers readers) {
    PlaneLayout layout = weights.layer().layout();
    long rows = x.elements() / layout.columns();
    return switch (weights) {
      case LayerWeights.Floats floats -> {
        Region input = program.region(x);
        program.observe(weights.layer().name(), input, x.shape());
        Target target = target(activation, residual, program.floats(rows * layout.rows()), layout);
        product(floats, 0, input, rows, 0, target);
        yield target.out();
      }
      case LayerWeights.Planes planes -> {
        Value below = x instanceof Value.Balanced balanced ? balanced.below() : x;
        Optional<Region> balance =
            x instanceof Value.Balanced balanced
                ? Optional.of(program.region(balanced.factors()))
                : Optional.empty();
        Region input = program.region(below);
        program.observe(weights.layer().name(), input, x.shape());
        Recoding recoding = Recoding.of(planes, balance);
        Codes codes = codes(recoding, input, rows);
        if (planes.bitSerial()) {
          codes = packed(planes, codes, rows);
        }
        Region.Slot out = readers.slot(program, rows * layout.rows());
        Target target = target(activation, residual, out, layout);
        if (readers.recoding().isPresent()) {
          recodedProduct(planes, codes, rows, target, readers.recoding().get());
        } else {
          product(planes, 0, codes, rows, 0, target);
        }
        yield out;
      }
    };
  }

  private Target target(
      Activation activation, Optional<Value> residual, Region.Slot out, PlaneLayout layout) {
    return new Target(activation, residual.map(program::region), out, layout.rows());
  }

  Region conv(LayerWeights weights, Op.Conv conv, Value x, Shape out, Optional<Value> residual) {
    Layer layer = weights.layer();
    Region input = program.region(x);
    program.observe(layer.name(), input, x.shape());
    Target target =
        new Target(
            conv.activation(),
            residual.map(program::region),
            program.floats(out.elements()),
            out.dim(3));
    Images images = new Images(x.shape(), out, conv.window(), conv.groups());
    switch (weights) {
      case LayerWeights.Floats floats -> {
        if (layer.kind() == Layer.Kind.DEPTHWISE) {
          depthwise(floats, images, input, target);
        } else if (images.isPointwise()) {
          product(floats, 0, input, out.elements() / out.dim(3), 0, target);
        } else {
          unrolled(floats, images, input, target);
        }
      }
      case LayerWeights.Planes planes -> {
        ImageCodes codes = imageCodes(planes, x.shape(), input);
        // Pixels that do not fill blocks would have to be unrolled before they become bits, which
        // takes longer than bytes do.
        if (planes.bitSerial() && images.channelsOfGroup() % PlaneLayout.BLOCK_COLUMNS == 0) {
          directBits(planes, images, packed(planes, x.shape(), codes), target);
        } else {
          direct(planes, images, codes, target);
        }
      }
    }
    return target.out();
  }

  Region embedding(LayerWeights weights, Value ids) {
    PlaneLayout layout = weights.layer().layout();
    long count = ids.elements();
    Region.Slot out = program.floats(count * layout.columns());
    Region indices = program.region(ids);
    String what = "node '%s', layer '%s'".formatted(program.node(), weights.layer().name());
    program.step(
        work(weights, "gather", StepDescription.dims(count, layout.columns()), count, 0),
        List.of(indices, out),
        memory -> {
          MemorySegment id = memory.at(indices);
          MemorySegment y = memory.at(out);
          return switch (weights) {
            case LayerWeights.Floats floats ->
                () -> {
                  requireIds(what, id, count, layout.rows());
                  FloatKernels.take(
                      Float.BYTES,
                      1,
                      layout.rows(),
                      layout.columns(),
                      id,
                      count,
                      floats.weight(),
                      y);
                };
            case LayerWeights.Planes planes -> {
              MemorySegment struct = planes.struct(0);
              yield () -> {
                requireIds(what, id, count, layout.rows());
                NativeKernels.gather(struct, id, count, layout.columns(), y, layout.columns());
              };
            }
          };
        });
    return out;
  }

  private static void requireIds(String what, MemorySegment ids, long count, long rows) {
    for (long i = 0; i < count; i++) {
      long id = ids.getAtIndex(JAVA_LONG, i);
      if (id < 0 || id >= rows) {
        throw new IllegalArgumentException(
            "%s: got id %d, expected 0 to %d".formatted(what, id, rows - 1));
      }
    }
  }

  /// `rows` rows of floats times the weights of one group.
  private void product(
      LayerWeights.Floats weights, int group, Region x, long rows, long firstRow, Target target) {
    PlaneLayout layout = weights.layer().layout();
    long n = layout.submatrixRows();
    long k = layout.columns();
    MemorySegment weight = weights.weight().asSlice(group * n * k * Float.BYTES);
    Region.Slot scratch = program.slot(FloatKernels.matmulScratch(n, k));
    program.step(
        work(weights, "float", StepDescription.dims(rows, k, n), n, rows * n * k),
        target.regions(x, scratch),
        memory -> {
          MemorySegment epilogue =
              target.epilogue(
                  program.struct(Structs.epilogueBytes()),
                  memory,
                  weights.bias(group),
                  firstRow,
                  group * n);
          MemorySegment a = memory.at(x);
          MemorySegment room = memory.at(scratch);
          return () ->
              FloatKernels.matmulF32(1, rows, n, k, a, k, 0, weight, k, 0, 1, epilogue, 0, room);
        });
  }

  /// `rows` rows of codes times the planes of one group.
  private void product(
      LayerWeights.Planes weights,
      int group,
      Codes codes,
      long rows,
      long firstRow,
      Target target) {
    FusedKernels.Path path = path(weights, rows);
    PlaneLayout layout = weights.layer().layout();
    StepDescription what =
        work(
            weights,
            label(path),
            StepDescription.dims(rows, layout.columns(), layout.submatrixRows()),
            layout.submatrixRows(),
            rows * layout.submatrixRows() * layout.columns());
    List<MatrixPart> parts =
        matrixParts(
            weights,
            group,
            PANEL_PAIR,
            program.parts(what),
            switch (path) {
              case STREAM -> _ -> 0;
              case BLOCK -> NativeKernels::blockScratch;
              case BITSERIAL -> NativeKernels::bitserialScratch;
            });
    program.shared(
        what,
        target.regions(regions(codes, parts)),
        memory -> {
          MemorySegment x = rowsOf(codes, rows, layout, memory);
          long bits = weights.activationBits();
          List<Runnable> calls = new ArrayList<>();
          for (MatrixPart part : parts) {
            MemorySegment struct = part.weights();
            MemorySegment epilogue =
                target.epilogue(
                    program.struct(Structs.epilogueBytes()),
                    memory,
                    part.bias(),
                    firstRow,
                    (long) group * layout.submatrixRows() + part.rows().from());
            MemorySegment room = memory.at(part.scratch());
            calls.add(
                switch (path) {
                  case STREAM -> () -> NativeKernels.stream(struct, x, epilogue);
                  case BLOCK -> () -> NativeKernels.block(struct, x, epilogue, room);
                  case BITSERIAL -> () -> NativeKernels.bitserial(struct, x, bits, epilogue, room);
                });
          }
          return calls;
        });
  }

  /// Some rows of one weight matrix, for one thread.
  private record MatrixPart(
      Part rows, MemorySegment weights, MemorySegment bias, Region.Slot scratch) {}

  /// @param unit rows that stay together
  /// @param scratch bytes that a matrix needs
  private List<MatrixPart> matrixParts(
      LayerWeights.Planes weights,
      int group,
      long unit,
      int count,
      ToLongFunction<MemorySegment> scratch) {
    MemorySegment whole = weights.struct(group);
    List<Part> cut = Part.cut(weights.layer().layout().submatrixRows(), unit, count);
    if (cut.size() == 1) {
      return List.of(
          new MatrixPart(
              cut.getFirst(),
              whole,
              weights.bias(group),
              program.slot(scratch.applyAsLong(whole))));
    }
    List<MatrixPart> parts = new ArrayList<>();
    for (Part rows : cut) {
      MemorySegment struct = program.struct(Structs.weightsBytes());
      Structs.weightsPart(struct, whole, rows.from(), rows.count());
      parts.add(
          new MatrixPart(
              rows,
              struct,
              weights.bias(group).asSlice(rows.from() * Float.BYTES),
              program.slot(scratch.applyAsLong(struct))));
    }
    return parts;
  }

  private static Region[] regions(Codes codes, List<MatrixPart> parts) {
    Stream<Region> read = Stream.of(codes.codes(), codes.sums(), codes.scale());
    return Stream.concat(read, parts.stream().map(MatrixPart::scratch)).toArray(Region[]::new);
  }

  private MemorySegment rowsOf(Codes codes, long rows, PlaneLayout layout, Program.Memory memory) {
    MemorySegment x = program.struct(Structs.rowsBytes());
    Structs.rows(
        x,
        memory.at(codes.codes()),
        memory.at(codes.sums()),
        memory.at(codes.scale()),
        rows,
        layout.groups());
    return x;
  }

  /// A product whose output becomes the codes of the next one at once.
  @SuppressWarnings("EnumOrdinal") // the order of the paths is part of the native ABI
  private void recodedProduct(
      LayerWeights.Planes weights, Codes codes, long rows, Target target, Recoding next) {
    FusedKernels.Path path = path(weights, rows);
    PlaneLayout layout = weights.layer().layout();
    Codes made = emptyCodes(next, rows);
    program.share(new RowCodes(target.out(), rows, next), made);
    StepDescription what =
        work(
            weights,
            label(path) + ", quantize",
            StepDescription.dims(rows, layout.columns(), layout.rows()),
            layout.rows(),
            rows * layout.rows() * layout.columns());
    List<MatrixPart> parts =
        matrixParts(
            weights,
            0,
            Math.max(PANEL_PAIR, next.group()),
            program.parts(what),
            struct -> FusedKernels.linearScratch(struct, rows, next.group()));
    List<Region> regions = target.regions(regions(codes, parts));
    regions.addAll(List.of(made.codes(), made.sums(), made.scale()));
    program.shared(
        what,
        regions,
        memory -> {
          MemorySegment x = rowsOf(codes, rows, layout, memory);
          long bits = weights.activationBits();
          long kernel = path.ordinal();
          List<Runnable> calls = new ArrayList<>();
          for (MatrixPart part : parts) {
            long from = part.rows().from();
            MemorySegment struct = part.weights();
            MemorySegment epilogue =
                target.epilogue(
                    program.struct(Structs.epilogueBytes()), memory, part.bias(), 0, from);
            MemorySegment requantize =
                next.write(program.struct(Structs.requantizeBytes()), memory, made, from);
            MemorySegment room = memory.at(part.scratch());
            calls.add(
                () -> FusedKernels.linear(struct, x, epilogue, kernel, bits, requantize, room));
          }
          return calls;
        });
  }

  /// @param weightRows how many rows of the weights the step reads
  /// @param multiplyAdds of the whole step
  private StepDescription work(
      LayerWeights weights, String path, String shape, long weightRows, long multiplyAdds) {
    PlaneLayout layout = weights.layer().layout();
    return switch (weights) {
      case LayerWeights.Floats _ ->
          new StepDescription(
              program.node(),
              path,
              shape,
              0,
              Float.SIZE,
              multiplyAdds,
              weightRows * layout.columns() * Float.BYTES,
              0);
      case LayerWeights.Planes planes ->
          new StepDescription(
              program.node(),
              path,
              shape,
              planes.planes().count(),
              planes.activationBits(),
              multiplyAdds,
              planes.planes().count() * layout.planeBytes() * weightRows / layout.rows(),
              0);
    };
  }

  private static String label(FusedKernels.Path path) {
    return path.name().toLowerCase(Locale.ROOT);
  }

  private static FusedKernels.Path path(LayerWeights.Planes weights, long rows) {
    if (weights.bitSerial()) {
      return FusedKernels.Path.BITSERIAL;
    }
    return rows <= STREAM_ROWS ? FusedKernels.Path.STREAM : FusedKernels.Path.BLOCK;
  }

  /// Key of codes that several layers share.
  private record RowCodes(Region x, long rows, Recoding recoding) {}

  /// Rows of floats to rows of codes, unless the step that made the floats did it already.
  private Codes codes(Recoding recoding, Region x, long rows) {
    return program.shared(
        new RowCodes(x, rows, recoding), Codes.class, () -> quantizedRows(recoding, x, rows));
  }

  private Codes emptyCodes(Recoding recoding, long rows) {
    Region scale =
        switch (recoding.by()) {
          case ActivationQuantizer.PerTensor tensor ->
              program.repeated(tensor.scale(), rows * recoding.groups());
          case ActivationQuantizer.PerGroup _ -> program.floats(rows * recoding.groups());
          case ActivationQuantizer.PerSample _, ActivationQuantizer.PerChannel _ ->
              throw recoding.unfit();
        };
    return new Codes(
        program.slot(rows * recoding.columns()),
        program.slot(rows * recoding.groups() * Integer.BYTES),
        scale);
  }

  private Codes quantizedRows(Recoding recoding, Region x, long rows) {
    Codes made = emptyCodes(recoding, rows);
    Region.Slot scratch = program.floats(recoding.width());
    List<Region> regions =
        new ArrayList<>(List.of(x, made.codes(), made.sums(), made.scale(), scratch));
    recoding.balance().ifPresent(regions::add);
    long width = recoding.width();
    program.step(
        "quantize rows",
        StepDescription.dims(rows, width),
        regions,
        memory -> {
          MemorySegment in = memory.at(x);
          MemorySegment requantize =
              recoding.write(program.struct(Structs.requantizeBytes()), memory, made, 0);
          MemorySegment room = memory.at(scratch);
          return () -> FusedKernels.requantizeRows(in, width, rows, width, requantize, room);
        });
    return made;
  }

  /// Layer norm, whose output becomes the codes of the next product at once where there is one.
  Region layerNorm(float epsilon, Value x, Value scale, Value bias, Readers readers) {
    Region in = program.region(x);
    Region factor = program.region(scale);
    Region shift = program.region(bias);
    long width = x.shape().dim(-1);
    long rows = x.elements() / width;
    Region.Slot out = readers.slot(program, x.elements());
    if (readers.recoding().isEmpty()) {
      program.step(
          "layer norm",
          List.of(in, factor, shift, out),
          memory -> {
            MemorySegment from = memory.at(in);
            MemorySegment by = memory.at(factor);
            MemorySegment plus = memory.at(shift);
            MemorySegment y = memory.at(out);
            return () -> FloatKernels.layerNormF32(from, by, plus, epsilon, y, rows, width);
          });
      return out;
    }
    Recoding next = readers.recoding().get();
    Codes made = emptyCodes(next, rows);
    program.share(new RowCodes(out, rows, next), made);
    Region.Slot scratch = program.floats(2 * width);
    program.step(
        "layer norm, quantize",
        List.of(in, factor, shift, out, scratch, made.codes(), made.sums(), made.scale()),
        memory -> {
          MemorySegment from = memory.at(in);
          MemorySegment by = memory.at(factor);
          MemorySegment plus = memory.at(shift);
          MemorySegment y = readers.floats() ? memory.at(out) : MemorySegment.NULL;
          MemorySegment requantize =
              next.write(program.struct(Structs.requantizeBytes()), memory, made, 0);
          MemorySegment room = memory.at(scratch);
          return () ->
              FusedKernels.layerNormCodes(
                  from, by, plus, epsilon, y, rows, width, requantize, room);
        });
    return out;
  }

  /// Whole images to codes. Convolution kernels sum the codes of each window themselves.
  private ImageCodes imageCodes(LayerWeights.Planes weights, Shape shape, Region x) {
    record Key(
        Region x, Shape shape, ActivationQuantizer by, Optional<LayerWeights.Planes.Channels> of) {}
    return program.shared(
        new Key(x, shape, weights.input(), weights.channels()),
        ImageCodes.class,
        () -> quantizedImages(weights, shape, x));
  }

  private ImageCodes quantizedImages(LayerWeights.Planes weights, Shape shape, Region x) {
    long samples = shape.dim(0);
    Region.Slot codes = program.slot(shape.elements());
    return switch (weights.input()) {
      case ActivationQuantizer.PerSample _ -> {
        long width = shape.elements() / samples;
        Region.Slot scale = program.floats(samples);
        program.step(
            "quantize samples",
            StepDescription.dims(shape),
            List.of(x, codes, scale),
            memory -> {
              MemorySegment in = memory.at(x);
              MemorySegment out = memory.at(codes);
              MemorySegment factor = memory.at(scale);
              return () -> NativeKernels.quantizeSamples(in, samples, width, out, factor);
            });
        yield new ImageCodes(codes, scale);
      }
      case ActivationQuantizer.PerTensor tensor -> {
        // Image row by image row, whose sums are in range and not needed.
        long width = shape.dim(2) * shape.dim(3);
        long rows = shape.dim(0) * shape.dim(1);
        Region.Slot sums = program.slot(rows * Integer.BYTES);
        quantizeStatic(tensor, x, rows, width, width, width, codes, sums);
        yield new ImageCodes(codes, program.repeated(tensor.scale(), samples));
      }
      case ActivationQuantizer.PerChannel _ -> {
        LayerWeights.Planes.Channels by = weights.channels().orElseThrow();
        long channels = shape.dim(3);
        long pixels = shape.elements() / channels;
        program.step(
            "quantize channels",
            StepDescription.dims(shape),
            List.of(x, codes),
            memory -> {
              MemorySegment in = memory.at(x);
              MemorySegment out = memory.at(codes);
              return () ->
                  NativeKernels.quantizeChannels(
                      in, pixels, channels, by.inverseScale(), by.zeroPoint(), out);
            });
        yield new ImageCodes(codes, program.repeated(1, samples));
      }
      case ActivationQuantizer.PerGroup _ -> throw unfit(weights);
    };
  }

  private void quantizeStatic(
      ActivationQuantizer.PerTensor by,
      Region x,
      long rows,
      long width,
      long columns,
      long group,
      Region codes,
      Region sums) {
    Structs.StaticCodes fixed = Recoding.staticCodes(by);
    program.step(
        "quantize static",
        StepDescription.dims(rows, width),
        List.of(x, codes, sums),
        memory -> {
          MemorySegment in = memory.at(x);
          MemorySegment out = memory.at(codes);
          MemorySegment sum = memory.at(sums);
          return () ->
              NativeKernels.quantizeStatic(
                  in,
                  width,
                  rows,
                  width,
                  columns,
                  group,
                  fixed.inverseScale(),
                  fixed.zeroPoint(),
                  fixed.low(),
                  fixed.high(),
                  out,
                  sum);
        });
  }

  /// Codes as bit-planes, shared by the layers that read the same ones.
  private Codes packed(LayerWeights.Planes weights, Codes codes, long rows) {
    record Packed(Region codes) {}
    return program.shared(
        new Packed(codes.codes()), Codes.class, () -> planesOf(weights, codes, rows));
  }

  private Codes planesOf(LayerWeights.Planes weights, Codes codes, long rows) {
    PlaneLayout layout = weights.layer().layout();
    long bits = weights.activationBits();
    long columns = layout.paddedColumns();
    Region.Slot planes = program.slot(rows * bits * layout.blocks() * Integer.BYTES);
    program.step(
        "pack planes",
        List.of(codes.codes(), planes),
        memory -> {
          MemorySegment in = memory.at(codes.codes());
          MemorySegment out = memory.at(planes);
          return () -> NativeKernels.packPlanes(in, rows, columns, bits, out);
        });
    return new Codes(planes, codes.sums(), codes.scale());
  }

  /// What a convolution slides over.
  private record Images(Shape in, Shape out, Op.Window window, int groups) {

    /// Rows of one output image, or some whole images.
    ///
    /// @param heights how many rows of the output image it has
    /// @param firstRow row of the result that the run begins with
    private record Run(long sample, long samples, long top, long heights, long firstRow) {}

    boolean isPointwise() {
      return groups == 1
          && window.kernelHeight() == 1
          && window.kernelWidth() == 1
          && window.strideHeight() == 1
          && window.strideWidth() == 1
          && in.dim(1) == out.dim(1)
          && in.dim(2) == out.dim(2)
          && window.padTop() == 0
          && window.padLeft() == 0;
    }

    /// Window, channels from and to, and the output images.
    String shape() {
      return "%dx%d, %d to %d, %s"
          .formatted(
              window.kernelHeight(),
              window.kernelWidth(),
              in.dim(3),
              out.dim(3),
              StepDescription.dims(out.dim(0), out.dim(1), out.dim(2)));
    }

    /// Output channels, which are the rows of the weights.
    long channels() {
      return out.dim(3);
    }

    long multiplyAdds(LayerWeights weights) {
      return out.elements() * weights.layer().layout().columns();
    }

    long channelsOfGroup() {
      return in.dim(3) / groups;
    }

    /// The window over a run: the same image, with the top so far away that the run's first row is
    /// the first row of the output.
    MemorySegment write(MemorySegment at, Run run) {
      int padTop = Math.toIntExact(window.padTop() - run.top() * window.strideHeight());
      Op.Window moved =
          new Op.Window(
              window.kernelHeight(),
              window.kernelWidth(),
              window.strideHeight(),
              window.strideWidth(),
              window.dilationHeight(),
              window.dilationWidth(),
              padTop,
              window.padLeft(),
              window.padBottom(),
              window.padRight());
      Structs.window(
          at, run.samples(), in.dim(1), in.dim(2), in.dim(3), run.heights(), out.dim(2), moved);
      return at;
    }

    long sampleElements() {
      return in.elements() / Math.max(1, in.dim(0));
    }

    /// Runs whose unrolled rows of `rowBytes` bytes fit in the cache.
    List<Run> runs(long rowBytes) {
      long heights = Math.clamp(UNROLLED_BYTES / (rowBytes * out.dim(2)), 1, out.dim(1));
      return rowsOfEach(Math.ceilDiv(out.dim(1), heights));
    }

    /// At least so many runs, if there is enough of which to make them: whole images, or rows of
    /// each where there are fewer images.
    List<Run> parts(int count) {
      if (in.dim(0) < count) {
        return rowsOfEach(Math.ceilDiv(count, in.dim(0)));
      }
      return Part.cut(in.dim(0), 1, count).stream()
          .map(part -> run(part.from(), part.count(), new Part(0, out.dim(1))))
          .toList();
    }

    private List<Run> rowsOfEach(long cuts) {
      List<Run> runs = new ArrayList<>();
      for (long sample = 0; sample < in.dim(0); sample++) {
        for (Part rows : Part.cut(out.dim(1), 1, cuts)) {
          runs.add(run(sample, 1, rows));
        }
      }
      return runs;
    }

    private Run run(long sample, long samples, Part rows) {
      return new Run(
          sample,
          samples,
          rows.from(),
          rows.count(),
          (sample * out.dim(1) + rows.from()) * out.dim(2));
    }
  }

  private void depthwise(LayerWeights.Floats weights, Images images, Region x, Target target) {
    StepDescription what =
        work(
            weights,
            "float depthwise",
            images.shape(),
            images.channels(),
            images.multiplyAdds(weights));
    program.shared(
        what,
        target.regions(x),
        memory -> {
          List<Runnable> calls = new ArrayList<>();
          for (Images.Run run : images.parts(program.parts(what))) {
            MemorySegment window = images.write(program.struct(Structs.windowBytes()), run);
            MemorySegment epilogue =
                target.epilogue(
                    program.struct(Structs.epilogueBytes()),
                    memory,
                    weights.bias(),
                    run.firstRow(),
                    0);
            MemorySegment in = memory.at(x, run.sample() * images.sampleElements() * Float.BYTES);
            calls.add(() -> FloatKernels.depthwiseF32(window, in, weights.weight(), epilogue));
          }
          return calls;
        });
  }

  private void unrolled(LayerWeights.Floats weights, Images images, Region x, Target target) {
    long columns = weights.layer().layout().columns();
    long channels = images.channelsOfGroup();
    for (Images.Run run : images.runs(columns * Float.BYTES)) {
      long rows = run.heights() * images.out().dim(2);
      MemorySegment window = images.write(program.struct(Structs.windowBytes()), run);
      long sample = run.sample() * images.sampleElements() * Float.BYTES;
      for (int group = 0; group < images.groups(); group++) {
        long firstChannel = group * channels;
        Region.Slot unrolled = program.floats(rows * columns);
        program.step(
            "unroll",
            List.of(x, unrolled),
            memory -> {
              MemorySegment in = memory.at(x, sample);
              MemorySegment out = memory.at(unrolled);
              return () -> NativeKernels.im2colF32(window, in, firstChannel, channels, out);
            });
        product(weights, group, unrolled, rows, run.firstRow(), target);
      }
    }
  }

  private void direct(LayerWeights.Planes weights, Images images, ImageCodes codes, Target target) {
    long submatrices = weights.layer().layout().submatrices();
    if (weights.layer().kind() == Layer.Kind.DEPTHWISE) {
      MemorySegment padCodes = zeroCodes(weights);
      convolve(
          weights,
          "depthwise",
          images,
          codes,
          target,
          _ -> 0,
          at ->
              () ->
                  NativeKernels.depthwise(
                      weights.structs(),
                      at.window(),
                      at.codes(),
                      at.scale(),
                      padCodes,
                      at.epilogue()));
      return;
    }
    long padCode = zeroCode(weights);
    convolve(
        weights,
        "conv",
        images,
        codes,
        target,
        window -> NativeKernels.convScratch(weights.structs(), submatrices, window),
        at ->
            () ->
                NativeKernels.conv(
                    weights.structs(),
                    submatrices,
                    at.window(),
                    at.codes(),
                    at.scale(),
                    padCode,
                    at.epilogue(),
                    at.scratch()));
  }

  /// What one call of a convolution works on.
  private record Convolved(
      MemorySegment window,
      MemorySegment codes,
      MemorySegment scale,
      MemorySegment epilogue,
      MemorySegment scratch) {}

  /// A convolution in one step, in parts where there is enough to do.
  ///
  /// @param scratch bytes that a window needs
  private void convolve(
      LayerWeights.Planes weights,
      String path,
      Images images,
      ImageCodes codes,
      Target target,
      ToLongFunction<MemorySegment> scratch,
      Function<Convolved, Runnable> call) {
    StepDescription what =
        work(weights, path, images.shape(), images.channels(), images.multiplyAdds(weights));
    record Piece(Images.Run run, MemorySegment window, Region.Slot scratch) {}
    List<Piece> pieces = new ArrayList<>();
    for (Images.Run run : images.parts(program.parts(what))) {
      MemorySegment window = images.write(program.struct(Structs.windowBytes()), run);
      pieces.add(new Piece(run, window, program.slot(scratch.applyAsLong(window))));
    }
    Stream<Region> read = Stream.of(codes.codes(), codes.scale());
    Stream<Region> rooms = pieces.stream().map(Piece::scratch);
    program.shared(
        what,
        target.regions(Stream.concat(read, rooms).toArray(Region[]::new)),
        memory -> {
          MemorySegment x = memory.at(codes.codes());
          long sampleBytes = x.byteSize() / Math.max(1, images.in().dim(0));
          List<Runnable> calls = new ArrayList<>();
          for (Piece piece : pieces) {
            long sample = piece.run().sample();
            calls.add(
                call.apply(
                    new Convolved(
                        piece.window(),
                        x.asSlice(sample * sampleBytes),
                        memory.at(codes.scale(), sample * Float.BYTES),
                        target.epilogue(
                            program.struct(Structs.epilogueBytes()),
                            memory,
                            weights.bias(),
                            piece.run().firstRow(),
                            0),
                        memory.at(piece.scratch()))));
          }
          return calls;
        });
  }

  /// Pixels of codes to pixels of bit-planes; layers that read the same input share them.
  private ImageCodes packed(LayerWeights.Planes weights, Shape shape, ImageCodes codes) {
    record Key(Region codes, long bits) {}
    long bits = weights.activationBits();
    long channels = shape.dim(3);
    long pixels = shape.elements() / channels;
    return program.shared(
        new Key(codes.codes(), bits),
        ImageCodes.class,
        () -> {
          Region.Slot planes = program.slot(shape.elements() * bits / Byte.SIZE);
          program.step(
              "pack planes",
              List.of(codes.codes(), planes),
              memory -> {
                MemorySegment in = memory.at(codes.codes());
                MemorySegment out = memory.at(planes);
                return () -> NativeKernels.packPlanes(in, pixels, channels, bits, out);
              });
          return new ImageCodes(planes, codes.scale());
        });
  }

  private void directBits(
      LayerWeights.Planes weights, Images images, ImageCodes planes, Target target) {
    long submatrices = weights.layer().layout().submatrices();
    long bits = weights.activationBits();
    long padCode = zeroCode(weights);
    convolve(
        weights,
        "conv bitserial",
        images,
        planes,
        target,
        window -> NativeKernels.convBitserialScratch(weights.structs(), submatrices, window, bits),
        at ->
            () ->
                NativeKernels.convBitserial(
                    weights.structs(),
                    submatrices,
                    at.window(),
                    bits,
                    at.codes(),
                    at.scale(),
                    padCode,
                    at.epilogue(),
                    at.scratch()));
  }

  /// The code of the value zero, which surrounds an image.
  private static long zeroCode(LayerWeights.Planes weights) {
    return switch (weights.input()) {
      case ActivationQuantizer.PerTensor tensor -> tensor.zeroPoint();
      case ActivationQuantizer.PerGroup _, ActivationQuantizer.PerSample _ -> 0;
      case ActivationQuantizer.PerChannel _ -> throw unfit(weights);
    };
  }

  /// The same for each channel of a depthwise layer.
  private MemorySegment zeroCodes(LayerWeights.Planes weights) {
    return weights
        .channels()
        .map(LayerWeights.Planes.Channels::zeroPoint)
        .orElseGet(
            () -> program.struct(weights.layer().layout().rows()).fill((byte) zeroCode(weights)));
  }

  private static IllegalArgumentException unfit(LayerWeights.Planes weights) {
    return new IllegalArgumentException(
        "layer '%s' (%s): got input quantizer %s"
            .formatted(weights.layer().name(), weights.layer().kind(), weights.input()));
  }
}
