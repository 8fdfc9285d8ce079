package dev.strata.trainer.repository;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/// A line of text as an image whose right answer is known, for networks that read. Drawn with the
/// machine's own fonts, so figures measured on lines differ a little between machines.
final class DrawnLine {

  private static final List<String> FAMILIES =
      List.of(Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED);
  private static final int LONGEST = 28;

  private final String text;
  private final byte[] png;

  private DrawnLine(String text, byte[] png) {
    this.text = text;
    this.png = png;
  }

  /// What is written.
  String text() {
    return text;
  }

  /// The image file.
  byte[] png() {
    return png;
  }

  /// Cuts sentences into lines and draws them in changing fonts, sizes and colours.
  static List<DrawnLine> of(List<String> sentences, int count, long seed) {
    Random random = new Random(seed);
    List<DrawnLine> lines = new ArrayList<>();
    for (String sentence : sentences) {
      for (String text : cut(sentence)) {
        if (lines.size() == count) {
          return lines;
        }
        lines.add(new DrawnLine(text, png(draw(text, random))));
      }
    }
    return lines;
  }

  /// The same line upside down.
  DrawnLine turned() {
    try {
      BufferedImage upright = ImageIO.read(new java.io.ByteArrayInputStream(png));
      BufferedImage turned =
          new BufferedImage(upright.getWidth(), upright.getHeight(), BufferedImage.TYPE_INT_RGB);
      for (int y = 0; y < upright.getHeight(); y++) {
        for (int x = 0; x < upright.getWidth(); x++) {
          turned.setRGB(
              upright.getWidth() - 1 - x, upright.getHeight() - 1 - y, upright.getRGB(x, y));
        }
      }
      return new DrawnLine(text, png(turned));
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /// Words stay whole; characters that the fonts may lack are left out.
  private static List<String> cut(String sentence) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : sentence.replaceAll("[^\\x21-\\x7e]+", " ").strip().split(" ", -1)) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > LONGEST) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    if (!line.isEmpty()) {
      lines.add(line.toString());
    }
    return lines;
  }

  private static BufferedImage draw(String text, Random random) {
    int size = 22 + random.nextInt(14);
    int style = random.nextInt(3) == 0 ? Font.BOLD : Font.PLAIN;
    Font font = new Font(FAMILIES.get(random.nextInt(FAMILIES.size())), style, size);
    int margin = 3 + random.nextInt(5);
    FontMetrics metrics = metrics(font);
    BufferedImage image =
        new BufferedImage(
            metrics.stringWidth(text) + 2 * margin,
            metrics.getHeight() + margin,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    boolean dark = random.nextInt(5) == 0;
    graphics.setColor(shade(random, dark ? 0 : 200));
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.setColor(shade(random, dark ? 200 : 0));
    graphics.setFont(font);
    graphics.drawString(text, margin, margin / 2 + metrics.getAscent());
    graphics.dispose();
    return image;
  }

  private static Color shade(Random random, int darkest) {
    return new Color(
        darkest + random.nextInt(56), darkest + random.nextInt(56), darkest + random.nextInt(56));
  }

  private static FontMetrics metrics(Font font) {
    Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
    try {
      return graphics.getFontMetrics(font);
    } finally {
      graphics.dispose();
    }
  }

  private static byte[] png(BufferedImage image) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", file);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return file.toByteArray();
  }
}
