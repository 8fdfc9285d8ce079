package dev.strata.plan;

import dev.strata.graph.Shape;
import dev.strata.graph.Tensor;
import dev.strata.graph.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/// The steps of a plan while it is being bound: kernel calls that name regions, whose addresses are
/// known only when all steps are.
final class Program {

  /// One kernel call to come.
  ///
  /// @param regions that it reads or writes
  /// @param calls makes the calls, with all arguments resolved; more than one for a shared step
  private record Draft(
      StepDescription what,
      List<Region> regions,
      Optional<Observation> observation,
      Function<Memory, List<Runnable>> calls) {}

  private record Observation(String layer, Region input, Shape shape) {}

  /// Structs are small and many: each in a piece of memory of its own would take thrice as much.
  private static final long CHUNK_BYTES = 8 << 10;

  private final Arena arena;
  private final Team team;
  private MemorySegment chunk = MemorySegment.NULL;
  private long chunkUsed;
  private final List<Draft> drafts = new ArrayList<>();
  private final List<Region.Slot> slots = new ArrayList<>();
  private final IdentityHashMap<Tensor, Region.Fixed> constants = new IdentityHashMap<>();
  private final Map<Object, Object> shared = new HashMap<>();
  private String node = "";
  private String made = "";
  private Optional<Observation> observation = Optional.empty();

  /// @param arena where constants and structs go; owned by the bound plan
  /// @param team who runs the steps
  Program(Arena arena, Team team) {
    this.arena = arena;
    this.team = team;
  }

  /// Steps from now on belong to this node.
  void enter(String name) {
    node = name;
    made = "";
  }

  /// What the node makes.
  void makes(Shape shape) {
    made = StepDescription.dims(shape);
  }

  String node() {
    return node;
  }

  /// The next step begins a weighted layer with this float input.
  void observe(String layer, Region input, Shape shape) {
    observation = Optional.of(new Observation(layer, input, shape));
  }

  Region.Slot slot(long bytes) {
    Region.Slot slot = new Region.Slot(bytes);
    slots.add(slot);
    return slot;
  }

  Region.Slot slot(TensorType type) {
    return slot(Math.multiplyExact(type.shape().elements(), type.type().byteSize()));
  }

  Region.Slot floats(long count) {
    return slot(Math.multiplyExact(count, Float.BYTES));
  }

  /// Adds a step without weights that reads or writes the regions.
  void step(String path, List<? extends Region> regions, Function<Memory, Runnable> call) {
    step(path, made, regions, call);
  }

  /// The same where what the step makes is not what the node does.
  void step(
      String path, String shape, List<? extends Region> regions, Function<Memory, Runnable> call) {
    step(StepDescription.plain(node, path, shape), regions, call);
  }

  /// Adds a step that reads or writes the regions.
  void step(StepDescription what, List<? extends Region> regions, Function<Memory, Runnable> call) {
    shared(what, regions, memory -> List.of(call.apply(memory)));
  }

  /// Into how many parts a step should fall.
  int parts(StepDescription what) {
    return team.parts(what.work());
  }

  /// Adds a step in parts that do not touch what another part writes.
  void shared(
      StepDescription what,
      List<? extends Region> regions,
      Function<Memory, List<Runnable>> calls) {
    for (Region region : regions) {
      keep(region, drafts.size());
    }
    observation.ifPresent(seen -> keep(seen.input(), drafts.size()));
    drafts.add(new Draft(what, List.copyOf(regions), observation, calls));
    observation = Optional.empty();
  }

  void keep(Region region, int step) {
    if (region instanceof Region.Slot slot) {
      slot.liveAt(step);
    }
  }

  /// The bytes of a value, copied off the heap if they are not native yet.
  Region region(Value value) {
    return switch (value) {
      case Value.Computed computed -> computed.region();
      case Value.Static known -> constants.computeIfAbsent(known.tensor(), this::constant);
      case Value.Turned _, Value.Balanced _ ->
          throw new IllegalStateException("nothing has computed " + value);
    };
  }

  private Region.Fixed constant(Tensor tensor) {
    MemorySegment data = tensor.data();
    return new Region.Fixed(data.isNative() ? data : allocate(data.byteSize()).copyFrom(data));
  }

  Region.Fixed constant(long[] values) {
    MemorySegment memory = allocate((long) values.length * Long.BYTES);
    MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_LONG, 0, values.length);
    return new Region.Fixed(memory);
  }

  Region.Fixed constant(float[] values) {
    MemorySegment memory = allocate((long) values.length * Float.BYTES);
    MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_FLOAT, 0, values.length);
    return new Region.Fixed(memory);
  }

  /// `count` times the same number.
  Region.Fixed repeated(float value, long count) {
    record Key(float value, long count) {}
    return shared(
        new Key(value, count),
        Region.Fixed.class,
        () -> {
          MemorySegment memory = allocate(count * Float.BYTES);
          for (long i = 0; i < count; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
          }
          return new Region.Fixed(memory);
        });
  }

  /// What was made once under this key, so that steps with the same input share it.
  <T> T shared(Object key, Class<T> type, Supplier<T> maker) {
    Object found = shared.get(key);
    if (found == null) {
      found = maker.get();
      shared.put(key, found);
    }
    return type.cast(found);
  }

  /// Offers what a step has made anyway to whoever asks for it under this key.
  void share(Object key, Object made) {
    shared.put(key, made);
  }

  /// Room for a struct that lives as long as the bound plan.
  MemorySegment struct(long bytes) {
    return new Region.Fixed(allocate(bytes)).memory();
  }

  private MemorySegment allocate(long bytes) {
    long room = MemoryPlan.align(Math.max(1, bytes));
    if (room > CHUNK_BYTES) {
      return arena.allocate(room, MemoryPlan.ALIGNMENT).asSlice(0, bytes);
    }
    if (chunkUsed + room > chunk.byteSize()) {
      chunk = arena.allocate(CHUNK_BYTES, MemoryPlan.ALIGNMENT);
      chunkUsed = 0;
    }
    MemorySegment slice = chunk.asSlice(chunkUsed, bytes);
    chunkUsed += room;
    return slice;
  }

  /// Places the slots and resolves all calls.
  ///
  /// @param block gives a block of at least so many bytes, 64-byte aligned
  Linked link(MemoryPlan.Reuse reuse, LongFunction<MemorySegment> block) {
    MemoryPlan plan = MemoryPlan.of(slots, reuse);
    Memory memory = new Memory(plan, new Region.Fixed(block.apply(plan.bytes())).memory());
    List<BoundStep> steps = new ArrayList<>();
    for (Draft draft : drafts) {
      steps.add(
          new BoundStep(
              draft.what().over(activationBytes(draft.regions())),
              together(draft.calls().apply(memory)),
              draft
                  .observation()
                  .map(
                      seen ->
                          new BoundStep.Observed(
                              seen.layer(), memory.at(seen.input()).asReadOnly(), seen.shape()))));
    }
    return new Linked(List.copyOf(steps), memory, plan.bytes());
  }

  /// Without scratch, which lives no longer than its step, and without constants.
  private static long activationBytes(List<Region> regions) {
    return regions.stream()
        .distinct()
        .filter(region -> region instanceof Region.Slot slot && !slot.isScratch())
        .mapToLong(region -> ((Region.Slot) region).bytes())
        .sum();
  }

  private Runnable together(List<Runnable> parts) {
    return parts.size() == 1 ? parts.getFirst() : new SharedStep(team, parts);
  }

  /// A program whose addresses are known.
  record Linked(List<BoundStep> steps, Memory memory, long bytes) {}

  /// Addresses of all regions.
  static final class Memory {
    private final MemoryPlan plan;
    private final MemorySegment block;

    private Memory(MemoryPlan plan, MemorySegment block) {
      this.plan = plan;
      this.block = block;
    }

    MemorySegment at(Region region) {
      return switch (region) {
        case Region.Fixed fixed -> fixed.memory();
        case Region.Slot slot -> block.asSlice(plan.offset(slot), slot.bytes());
      };
    }

    /// The region from a byte on.
    MemorySegment at(Region region, long from) {
      return at(region).asSlice(from);
    }
  }
}
