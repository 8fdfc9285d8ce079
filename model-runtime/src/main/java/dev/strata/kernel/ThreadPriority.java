package dev.strata.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// The operating system's priority of a thread. Java's own [Thread#setPriority] does nothing on
/// Linux unless the whole process was started for it.
public final class ThreadPriority {

  /// The `which` of setpriority(2) that takes a thread; `who` 0 is the calling one.
  private static final int PRIO_PROCESS = 0;

  /// Beside a thread of normal priority such a one gets a tenth of the processor. The nicest there
  /// is, 19, gets a seventieth, with which a busy server would need minutes to take a model in.
  private static final int LOW = 10;

  private ThreadPriority() {}

  /// Gives the calling thread a low priority, for good; does nothing to one that has it.
  ///
  /// @return whether the system could do so; where it cannot, nothing has changed
  public static boolean lower() {
    return Native.SETPRIORITY.isPresent() && call(Native.SETPRIORITY.get()) == 0;
  }

  private static final class Native {
    static final Optional<MethodHandle> SETPRIORITY =
        Linker.nativeLinker().defaultLookup().find("setpriority").map(Native::handle);

    @SuppressWarnings("restricted")
    private static MethodHandle handle(MemorySegment function) {
      return Linker.nativeLinker()
          .downcallHandle(function, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    }
  }

  private static int call(MethodHandle setpriority) {
    try {
      return (int) setpriority.invokeExact(PRIO_PROCESS, 0, LOW);
    } catch (Throwable failure) {
      throw new AssertionError("setpriority", failure);
    }
  }
}
