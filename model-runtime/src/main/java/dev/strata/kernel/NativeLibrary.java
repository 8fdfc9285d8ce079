package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/// The kernel library: found on the class path, loaded once, its instruction set chosen once.
public final class NativeLibrary {

  /// Must equal `STRATA_ABI` in strata.h.
  private static final int ABI = 3;

  private static final NativeLibrary LOADED = load();

  private final SymbolLookup symbols;
  private final MethodHandle select;
  private final Isa probed;
  private final Isa chosen;

  private NativeLibrary(SymbolLookup symbols, String resource) {
    this.symbols = symbols;
    int abi = call(bind("strata_abi", FunctionDescriptor.of(JAVA_INT)));
    if (abi != ABI) {
      throw new UnsatisfiedLinkError(
          "%s: got ABI %d, expected %d; rebuild the native library".formatted(resource, abi, ABI));
    }
    select = bind("strata_isa_select", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    probed = Isa.ofCode(call(bind("strata_isa_probe", FunctionDescriptor.of(JAVA_INT))));
    chosen = Isa.choose(probed, Optional.ofNullable(System.getenv(Isa.VARIABLE)));
    use(chosen);
  }

  /// The library of this process.
  ///
  /// @throws UnsatisfiedLinkError if this platform has none, or it doesn't load; the message says
  ///     what to do. Further calls then fail with [NoClassDefFoundError].
  public static NativeLibrary loaded() {
    return LOADED;
  }

  /// Best instruction set of CPU and operating system.
  public Isa probed() {
    return probed;
  }

  /// The instruction set chosen at start: [#probed], or lower by the variable `STRATA_ISA`.
  public Isa chosen() {
    return chosen;
  }

  /// Switches all kernels to `isa`, or to the best the machine has if it lacks that. For tests: no
  /// kernel may be running.
  ///
  /// @return the instruction set now in use
  public Isa use(Isa isa) {
    try {
      return Isa.ofCode((int) select.invokeExact(isa.code()));
    } catch (Throwable failure) {
      throw new AssertionError("strata_isa_select", failure);
    }
  }

  /// A downcall to the function `name`. Plain, not critical: kernels run for milliseconds.
  MethodHandle function(String name, FunctionDescriptor descriptor) {
    return bind(name, descriptor);
  }

  @SuppressWarnings("restricted")
  private MethodHandle bind(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker()
        .downcallHandle(
            symbols
                .find(name)
                .orElseThrow(
                    () ->
                        new UnsatisfiedLinkError(
                            "native library: no function %s; rebuild it".formatted(name))),
            descriptor);
  }

  private static int call(MethodHandle function) {
    try {
      return (int) function.invokeExact();
    } catch (Throwable failure) {
      throw new AssertionError("native library", failure);
    }
  }

  private static NativeLibrary load() {
    String resource = resource(System.getProperty("os.name"), System.getProperty("os.arch"));
    try (InputStream library = NativeLibrary.class.getResourceAsStream(resource)) {
      if (library == null) {
        throw new UnsatisfiedLinkError(
            "no native library for this platform (Linux on x86_64 or aarch64): %s isn't on the class path"
                .formatted(resource));
      }
      Path file = Files.createTempFile("libstrata", ".so");
      try {
        Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
        return new NativeLibrary(open(file), resource);
      } finally {
        Files.delete(file);
      }
    } catch (IOException failure) {
      throw linkError(
          "%s: can't be unpacked to java.io.tmpdir %s: %s"
              .formatted(resource, System.getProperty("java.io.tmpdir"), failure.getMessage()),
          failure);
    }
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup open(Path file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException failure) {
      throw linkError(
          "%s: can't be loaded; java.io.tmpdir must allow executable files".formatted(file),
          failure);
    }
  }

  private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
    var error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }

  /// Where the library of a platform lies on the class path; names the CPU as `uname -m` does.
  static String resource(String system, String architecture) {
    return "/native/%s-%s/libstrata.so"
        .formatted(
            system.startsWith("Linux") ? "linux" : system,
            architecture.equals("amd64") ? "x86_64" : architecture);
  }
}
