package dev.strata.bench;

import dev.strata.kernel.Limits;
import dev.strata.kernel.NativeLibrary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The machine that measures: what one core of it can do, and its clock.
///
/// @param processor its name
/// @param isa the instruction set in use
/// @param level2 bytes of the level 2 cache
/// @param cache bytes of the last level of cache
/// @param load of the last minute, when the run began
record Machine(String processor, String isa, long level2, long cache, double load, Limits limits) {

  private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");
  private static final long LEAST_CACHE = 32L << 20;

  static Machine measure() throws IOException {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    long level2 = cacheBytes(2).orElse(1L << 20);
    long cache = Math.max(LEAST_CACHE, cacheBytes(3).orElse(level2));
    Limits limits = Limits.measure(Machine::nanos, 2 * cache);
    String processor =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse("unknown processor");
    String isa = NativeLibrary.loaded().chosen().toString();
    return new Machine(processor, isa, level2, cache, load, limits);
  }

  /// Measures the limits anew, between the measurements that are compared with them.
  Limits.Probe probe() {
    return new Limits.Probe(Machine::nanos, 2 * cache);
  }

  Machine with(Limits measured) {
    return new Machine(processor, isa, level2, cache, load, measured);
  }

  /// Processor time of this thread: others on the machine do not count.
  static long nanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  /// Bytes per nanosecond that weights of this size can be read with.
  double bandwidth(long bytes, boolean cold) {
    if (cold || bytes > cache) {
      return limits.memory();
    }
    return bytes > level2 * 3 / 4 ? limits.level3() : limits.level2();
  }

  String describe() {
    return """
    %s, instruction set %s, load %.1f; one core: %.0f G 8-bit, %.0f G float, %.0f G bit \
    multiply-adds a second; reads %.0f GB/s from level 2, %.0f from level 3, %.1f from memory; weights of ORT int8 have \
    %d bits"""
        .formatted(
            processor,
            isa,
            load,
            limits.dots(),
            limits.floats(),
            limits.ones(),
            limits.level2(),
            limits.level3(),
            limits.memory(),
            OrtPeer.WEIGHT_BITS);
  }

  private static Optional<Long> cacheBytes(int level) throws IOException {
    for (int index = 0; index < 8; index++) {
      Path cache = CACHES.resolve("index" + index);
      if (Files.exists(cache.resolve("level"))
          && Files.readString(cache.resolve("level")).strip().equals("" + level)) {
        String size = Files.readString(cache.resolve("size")).strip();
        return Optional.of(Long.parseLong(size.substring(0, size.length() - 1)) << 10);
      }
    }
    return Optional.empty();
  }
}
