package dev.strata.processing;

/// Bilinear resize with half-pixel centres: output pixel x samples the input at `(x + 0.5) *
/// inputWidth / width - 0.5`, edges repeated. The same floats on every machine.
final class BilinearResize {

  private BilinearResize() {}

  /// @return `[height][width][3]`
  static float[] resize(DecodedImage image, int width, int height) {
    Taps columns = Taps.of(image.width(), width);
    Taps rows = Taps.of(image.height(), height);
    float[] out = new float[height * width * 3];
    // Neighbouring output rows share input rows: the two in use are kept.
    int firstIndex = -1;
    int secondIndex = -1;
    float[] first = new float[0];
    float[] second = first;
    for (int y = 0; y < height; y++) {
      if (rows.low[y] != firstIndex) {
        first = rows.low[y] == secondIndex ? second : image.row(rows.low[y]);
        firstIndex = rows.low[y];
      }
      if (rows.high[y] != secondIndex) {
        second = rows.high[y] == firstIndex ? first : image.row(rows.high[y]);
        secondIndex = rows.high[y];
      }
      float down = rows.weight[y];
      for (int x = 0; x < width; x++) {
        int left = 3 * columns.low[x];
        int right = 3 * columns.high[x];
        float along = columns.weight[x];
        for (int c = 0; c < 3; c++) {
          float top = mix(first[left + c], first[right + c], along);
          float bottom = mix(second[left + c], second[right + c], along);
          out[(y * width + x) * 3 + c] = mix(top, bottom, down);
        }
      }
    }
    return out;
  }

  private static float mix(float from, float to, float weight) {
    return from + (to - from) * weight;
  }

  /// For each output index its two input indices and the weight of the higher one.
  private static final class Taps {
    private final int[] low;
    private final int[] high;
    private final float[] weight;

    private Taps(int length) {
      low = new int[length];
      high = new int[length];
      weight = new float[length];
    }

    static Taps of(int from, int to) {
      Taps taps = new Taps(to);
      for (int i = 0; i < to; i++) {
        double position = Math.clamp((i + 0.5) * from / to - 0.5, 0, from - 1.0);
        taps.low[i] = (int) position;
        taps.high[i] = Math.min(taps.low[i] + 1, from - 1);
        taps.weight[i] = (float) (position - taps.low[i]);
      }
      return taps;
    }
  }
}
