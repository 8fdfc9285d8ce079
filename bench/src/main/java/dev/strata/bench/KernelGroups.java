package dev.strata.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import ai.onnxruntime.OrtException;
import dev.strata.bench.KernelCase.Floor;
import dev.strata.bench.KernelCase.Group;
import dev.strata.bench.KernelCase.Limit;
import dev.strata.precision.PlaneLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// What `bench kernels` measures.
final class KernelGroups {
  static final String FP32 = "ORT fp32";
  static final String INT8 = "ORT int8";
  static final String NBITS4 = "ORT NBits-4";
  static final String NBITS2 = "ORT NBits-2";
  static final String BLAS = "OpenBLAS";
  static final List<String> PEERS = List.of(FP32, INT8, NBITS4, NBITS2, BLAS);

  private static final int STREAM_ROWS = 8;

  /// Makes a group when its turn has come.
  interface Maker {
    Group make(Arena arena) throws OrtException;
  }

  private KernelGroups() {}

  /// @param cache bytes of the last level of cache
  static Map<String, Maker> all(long cache) {
    Map<String, Maker> all = new LinkedHashMap<>();
    product(all, 1, 4096, true, cache);
    product(all, 1, 4096, false, cache);
    product(all, 1, 1024, false, cache);
    product(all, 8, 1024, false, cache);
    product(all, 8, 4096, false, cache);
    product(all, 64, 1024, false, cache);
    product(all, 256, 1024, false, cache);
    product(all, 64, 4096, false, cache);
    product(all, 256, 4096, false, cache);
    conv(all, 64, 56, false);
    conv(all, 128, 28, false);
    conv(all, 256, 14, false);
    conv(all, 512, 7, false);
    conv(all, 128, 56, true);
    conv(all, 512, 14, true);
    return all;
  }

  private static void product(
      Map<String, Maker> all, int count, int width, boolean cold, long cache) {
    String shape = "%d x %d x %d".formatted(count, width, width);
    all.put(
        "product " + shape + (cold ? " cold" : " warm"),
        arena -> product(arena, shape, count, width, cold, cache));
  }

  private static Group product(
      Arena arena, String shape, int count, int width, boolean cold, long cache)
      throws OrtException {
    // In a round all contenders read about 12 bytes per weight; twice the cache lies between two
    // uses of a copy.
    long round = 12L * width * width;
    int copies = cold ? Math.toIntExact(Math.ceilDiv(2 * cache, round) + 1) : 1;
    Random random = new Random(width);
    PlaneLayout layout = PlaneLayout.perChannel(width, width, 1);
    PlaneWeights weights = new PlaneWeights(arena, layout, copies, random);
    MemorySegment x = Memory.floats(arena, (long) count * width, _ -> random.nextFloat() * 8 - 4);
    List<KernelCase> cases = new ArrayList<>();
    var path = count <= STREAM_ROWS ? LayeredProduct.Path.STREAM : LayeredProduct.Path.BLOCK;
    for (int bits : new int[] {1, 2, 4, 8}) {
      cases.add(
          of(arena, path, weights, bits, 8, count, x, productFloors(count, bits, cold, width)));
    }
    for (int bits : new int[] {1, 2}) {
      List<Floor> floors =
          count >= 64 && width >= 1024
              ? List.of(new Floor(INT8, bits == 1 ? 4.8 : 1.25))
              : List.of();
      cases.add(of(arena, LayeredProduct.Path.BITSERIAL, weights, bits, bits, count, x, floors));
    }
    if (width == 1024) {
      cases.add(of(arena, LayeredProduct.Path.CODEBOOK, weights, 3, 8, count, x, List.of()));
      cases.add(of(arena, LayeredProduct.Path.ADDER, weights, 8, 8, count, x, List.of()));
    }
    ProductPeers made = new ProductPeers(arena, weights, count, x);
    Map<String, Contender> peers = new LinkedHashMap<>();
    peers.put(FP32, made.floats());
    peers.put(INT8, made.bytes());
    peers.put(NBITS4, made.nbits(4));
    peers.put(NBITS2, made.nbits(2));
    peers.put(BLAS, made.blas());
    return new Group(shape, copies, count, width, cases, peers);
  }

  private static List<Floor> productFloors(int count, int bits, boolean cold, int width) {
    List<Floor> floors = new ArrayList<>();
    if (cold) {
      double[] least = {0, 5, 3.5, 0, 2.8, 0, 0, 0, 1.2};
      floors.add(new Floor(INT8, least[bits]));
      if (bits == 2) {
        floors.add(new Floor(NBITS2, 2.2));
      } else if (bits == 4) {
        floors.add(new Floor(NBITS4, 2.3));
      }
      if (bits >= 2) {
        floors.add(new Floor(Floor.MEMORY, 0.75));
      }
    } else if (count >= 64 && width >= 1024) {
      floors.add(new Floor(INT8, 1));
      floors.add(new Floor(Floor.PEAK, 0.85));
    }
    return floors;
  }

  private static KernelCase of(
      Arena arena,
      LayeredProduct.Path path,
      PlaneWeights weights,
      int bits,
      int activationBits,
      int count,
      MemorySegment x,
      List<Floor> floors) {
    PlaneLayout layout = weights.layout();
    boolean serial = path == LayeredProduct.Path.BITSERIAL;
    return new KernelCase(
        "%s w%da%d".formatted(path.name().toLowerCase(java.util.Locale.ROOT), bits, activationBits),
        new LayeredProduct(arena, path, weights, bits, activationBits, count, x),
        (long) count * layout.rows() * layout.columns(),
        weights.bytes(bits),
        (long) count * (layout.rows() + layout.columns()) * Float.BYTES,
        serial ? new Limit(Limit.Unit.ONES, bits * activationBits) : new Limit(Limit.Unit.DOTS, 1),
        floors);
  }

  private static void conv(Map<String, Maker> all, int channels, int size, boolean depthwise) {
    String shape =
        "%s %d @ %d x %d".formatted(depthwise ? "depthwise 3x3" : "3x3", channels, size, size);
    all.put("conv " + shape, arena -> conv(arena, shape, channels, size, depthwise));
  }

  private static Group conv(Arena arena, String shape, int channels, int size, boolean depthwise)
      throws OrtException {
    Random random = new Random(channels);
    PlaneLayout layout = PlaneLayout.perChannel(channels, depthwise ? 9 : 9 * channels, 1);
    PlaneWeights weights = new PlaneWeights(arena, layout, 1, random);
    long values = (long) size * size * channels;
    long products = values * layout.columns();
    List<KernelCase> cases = new ArrayList<>();
    MemorySegment bytes = codes(arena, values, random, -127, 127);
    for (int bits : depthwise ? new int[] {8} : new int[] {8, 2, 1}) {
      int activationBits = bits == 8 ? 8 : bits;
      MemorySegment x =
          bits == 8 ? bytes : codes(arena, values, random, 0, (1 << activationBits) - 1);
      List<Floor> floors =
          switch (bits) {
            case 1 -> List.of(new Floor(INT8, 4.5), new Floor(FP32, 17));
            case 2 -> List.of(new Floor(INT8, 1.2));
            default -> List.of(new Floor(INT8, depthwise ? 2.2 : 0.95));
          };
      cases.add(
          new KernelCase(
              "%s w%da%d".formatted(bits == 8 ? "direct" : "planes", bits, activationBits),
              new LayeredConv(arena, weights, bits, activationBits, size, x),
              products,
              weights.bytes(bits),
              2 * values,
              bits == 8
                  ? new Limit(Limit.Unit.DOTS, 1)
                  : new Limit(Limit.Unit.ONES, bits * activationBits),
              floors));
    }
    ConvPeers made = new ConvPeers(arena, weights, size, bytes);
    Map<String, Contender> peers = new LinkedHashMap<>();
    peers.put(FP32, made.floats());
    peers.put(INT8, made.bytes());
    return new Group(shape, 1, size * size, channels, cases, peers);
  }

  private static MemorySegment codes(Arena arena, long count, Random random, int low, int high) {
    MemorySegment codes = arena.allocate(count, 64);
    for (long i = 0; i < count; i++) {
      codes.set(JAVA_BYTE, i, (byte) random.nextInt(low, high + 1));
    }
    return codes;
  }
}
