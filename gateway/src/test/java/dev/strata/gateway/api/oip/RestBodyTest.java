package dev.strata.gateway.api.oip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RestBodyTest {

  @Test
  void partsAreThoseOfTheWholeHoweverItIsCut() {
    Random random = new Random(5);
    for (int round = 0; round < 500; round++) {
      byte[] whole = new byte[random.nextInt(200)];
      random.nextBytes(whole);
      RestBody body = new RestBody(pieces(whole, random), whole.length);
      int from = random.nextInt(whole.length + 1);
      int bytes = random.nextInt(whole.length - from + 1);
      assertArrayEquals(Arrays.copyOf(whole, from), body.head(from));
      assertArrayEquals(
          Arrays.copyOfRange(whole, from, from + bytes), joined(body.slice(from, bytes)));
    }
    assertEquals(List.of(), RestBody.of(new byte[3]).slice(3, 0));
  }

  private static List<MemorySegment> pieces(byte[] whole, Random random) {
    List<MemorySegment> pieces = new ArrayList<>();
    for (int at = 0; at < whole.length; ) {
      int size = 1 + random.nextInt(Math.min(60, whole.length - at));
      pieces.add(MemorySegment.ofArray(whole).asSlice(at, size));
      at += size;
    }
    return pieces;
  }

  private static byte[] joined(List<MemorySegment> pieces) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pieces.forEach(piece -> out.writeBytes(piece.toArray(ValueLayout.JAVA_BYTE)));
    return out.toByteArray();
  }
}
