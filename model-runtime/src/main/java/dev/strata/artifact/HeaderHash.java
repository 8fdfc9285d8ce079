package dev.strata.artifact;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// SHA-256 of the length bytes and the header, computed while the digits that hold it are zeros.
final class HeaderHash {
  private HeaderHash() {}

  /// The text before the digits, exactly. Quotes inside a JSON string are escaped, so it cannot
  /// occur in a value.
  private static final byte[] MARK =
      ("\"" + HeaderJson.HEADER_SHA256 + "\":\"").getBytes(StandardCharsets.UTF_8);

  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final long CHUNK_BYTES = 1 << 20;

  /// What the digits are while the hash is computed.
  static final String ZEROS = "0".repeat(HeaderJson.SHA256_DIGITS);

  static boolean isDigest(String text) {
    return DIGEST.matcher(text).matches();
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException failure) {
      throw new AssertionError("every Java platform has SHA-256", failure);
    }
  }

  static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  static void update(MessageDigest digest, MemorySegment bytes) {
    for (long at = 0; at < bytes.byteSize(); at += CHUNK_BYTES) {
      long length = Math.min(CHUNK_BYTES, bytes.byteSize() - at);
      digest.update(bytes.asSlice(at, length).asByteBuffer());
    }
  }

  /// @param json the header whose hash digits are [#ZEROS]
  /// @return the same header with its hash
  static byte[] seal(byte[] json) {
    byte[] digits = hash(json).getBytes(StandardCharsets.US_ASCII);
    byte[] sealed = json.clone();
    System.arraycopy(digits, 0, sealed, find(json, 0) + MARK.length, digits.length);
    return sealed;
  }

  /// @param stated the hash as the header's JSON has it
  static void check(Path path, byte[] json, String stated) throws CorruptArtifactException {
    int mark = find(json, 0);
    int digits = mark + MARK.length;
    if (mark < 0 || find(json, digits) >= 0 || !isDigest(stated)) {
      throw damaged(
          path, 0, "one " + HeaderJson.HEADER_SHA256 + " of 64 digits", "'" + stated + "'");
    }
    byte[] zeroed = json.clone();
    Arrays.fill(zeroed, digits, digits + HeaderJson.SHA256_DIGITS, (byte) '0');
    String computed = hash(zeroed);
    if (!computed.equals(stated)) {
      throw damaged(path, digits, "SHA-256 " + stated, computed);
    }
  }

  private static CorruptArtifactException damaged(
      Path path, int at, String expected, String found) {
    return new CorruptArtifactException(
        path, ArtifactSection.HEADER, ArtifactHeader.LENGTH_BYTES + (long) at, expected, found);
  }

  private static String hash(byte[] json) {
    MessageDigest digest = sha256();
    ByteBuffer length =
        ByteBuffer.allocate(ArtifactHeader.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    digest.update(length.putLong(0, json.length));
    digest.update(json);
    return hex(digest);
  }

  private static int find(byte[] json, int from) {
    for (int at = from; at <= json.length - MARK.length - HeaderJson.SHA256_DIGITS; at++) {
      if (Arrays.equals(json, at, at + MARK.length, MARK, 0, MARK.length)) {
        return at;
      }
    }
    return -1;
  }
}
