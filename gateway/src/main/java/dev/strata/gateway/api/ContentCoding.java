package dev.strata.gateway.api;

import dev.strata.gateway.call.ErrorCode;
import dev.strata.gateway.call.InferenceException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;

/// Compression of HTTP bodies in both directions.
public enum ContentCoding {
  GZIP,
  /// The zlib format, as HTTP means it.
  DEFLATE;

  private static final int CHUNK_BYTES = 16 << 10;

  /// Below this a ratio says nothing.
  private static final int RATIO_FREE_BYTES = 64 << 10;

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// @param header value of `Content-Encoding`
  /// @return empty for a body that is as it is
  /// @throws InferenceException for a coding that is not offered
  public static Optional<ContentCoding> of(String header) {
    String wanted = header.strip().toLowerCase(Locale.ROOT);
    if (wanted.isEmpty() || wanted.equals("identity")) {
      return Optional.empty();
    }
    return Optional.of(
        Arrays.stream(values())
            .filter(coding -> coding.label().equals(wanted))
            .findFirst()
            .orElseThrow(
                () ->
                    new InferenceException(
                        ErrorCode.NOT_OFFERED,
                        "Content-Encoding: got '%s', expected gzip, deflate or identity"
                            .formatted(TensorReader.excerpt(header)))));
  }

  /// @param header value of `Accept-Encoding`
  /// @return the first coding named that this server knows and the client does not rule out
  public static Optional<ContentCoding> accepted(String header) {
    for (String item : List.of(header.toLowerCase(Locale.ROOT).split(",", -1))) {
      String[] parts = item.split(";", 2);
      boolean refused = parts.length > 1 && parts[1].replace(" ", "").matches("q=0(\\.0*)?");
      for (ContentCoding coding : values()) {
        if (!refused && parts[0].strip().equals(coding.label())) {
          return Optional.of(coding);
        }
      }
    }
    return Optional.empty();
  }

  /// Stops as soon as there is too much, whatever the compressed length was.
  ///
  /// @throws InferenceException if the body is over a limit or is not in this coding
  public byte[] decode(byte[] body, Limits limits) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(Math.max(CHUNK_BYTES, 2 * body.length));
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = decoding(new ByteArrayInputStream(body))) {
      for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
        out.write(chunk, 0, read);
        if (out.size() > limits.messageBytes()) {
          throw new InferenceException(
              ErrorCode.TOO_LARGE,
              "body: got more than %d bytes decompressed, expected at most that"
                      .formatted(limits.messageBytes())
                  + " (strata.limits.message-bytes)");
        }
        if (out.size() > RATIO_FREE_BYTES
            && out.size() > (long) limits.decompressionRatio() * body.length) {
          throw new InferenceException(
              ErrorCode.TOO_LARGE,
              "body: got more than %d bytes decompressed for each compressed one"
                      .formatted(limits.decompressionRatio())
                  + " (strata.limits.decompression-ratio)");
        }
      }
    } catch (IOException malformed) {
      throw InferenceException.invalid(
          "body: got bytes that are not %s: %s".formatted(label(), malformed.getMessage()));
    }
    return out.toByteArray();
  }

  public byte[] encode(byte[] body) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(CHUNK_BYTES);
    try (OutputStream compressed = encoding(out)) {
      compressed.write(body);
    } catch (IOException impossible) {
      throw new UncheckedIOException("writing to memory", impossible);
    }
    return out.toByteArray();
  }

  private InputStream decoding(InputStream in) throws IOException {
    return switch (this) {
      case GZIP -> new GZIPInputStream(in, CHUNK_BYTES);
      case DEFLATE -> new InflaterInputStream(in);
    };
  }

  private OutputStream encoding(OutputStream out) throws IOException {
    return switch (this) {
      case GZIP -> new GZIPOutputStream(out);
      case DEFLATE -> new DeflaterOutputStream(out);
    };
  }
}
