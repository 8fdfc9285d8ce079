package dev.strata.gateway.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.strata.gateway.registry.Eviction.Holder;
import dev.strata.gateway.registry.Eviction.Step;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EvictionTest {

  /// 100 bytes at 1 bit, and 10 more for each further.
  private static final List<Long> PREFIXES =
      List.of(100L, 110L, 120L, 130L, 140L, 150L, 160L, 170L);

  private static Holder<String> holder(String name, int width, int floor, long lastUsed) {
    return new Holder<>(name, new ResidentPlanes.Demand(name, PREFIXES, floor), width, lastUsed);
  }

  private final List<Holder<String>> holders =
      List.of(holder("hot", 8, 1, 30), holder("cold", 8, 6, 10), holder("mild", 4, 3, 20));

  @Test
  void nothingGoesWhileThereIsRoom() {
    assertEquals(Optional.of(List.of()), Eviction.plan(holders, 0));
    assertEquals(Optional.of(List.of()), Eviction.plan(holders, -5));
  }

  @Test
  void theColdestLosesItsLastPlaneFirst() {
    assertEquals(Optional.of(List.of(new Step<>("cold", 7))), Eviction.plan(holders, 1));
    assertEquals(Optional.of(List.of(new Step<>("cold", 7))), Eviction.plan(holders, 10));
    assertEquals(Optional.of(List.of(new Step<>("cold", 6))), Eviction.plan(holders, 11));
  }

  @Test
  void atItsFloorTheNextColdestIsAsked() {
    assertEquals(
        Optional.of(List.of(new Step<>("cold", 6), new Step<>("mild", 3))),
        Eviction.plan(holders, 30));
    assertEquals(
        Optional.of(List.of(new Step<>("cold", 6), new Step<>("mild", 3), new Step<>("hot", 1))),
        Eviction.plan(holders, 100));
  }

  @Test
  void whenAllFloorsTogetherAreNotEnoughNothingGoes() {
    assertEquals(Optional.empty(), Eviction.plan(holders, 101));
    assertEquals(Optional.empty(), Eviction.plan(List.<Holder<String>>of(), 1));
  }
}
