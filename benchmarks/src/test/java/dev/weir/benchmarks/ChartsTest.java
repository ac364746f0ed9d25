package dev.weir.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pictures of the comparison, from figures that were not measured. */
@Tag("once")
@Tag("slow")
class ChartsTest {
  private static final int BACKGROUND = 0xFAFAF7;
  private static final int WEIR = 0x0B7A75;
  private static final int OTHERS = 0x8FA3B5;

  @TempDir private Path folder;

  @Test
  void eachWorkloadHasAPictureWithABackgroundOfItsOwn() throws IOException {
    Path figures = figures("pingpong-1\tnetty\t1\t1\t1", "lines\tnetty\t1\t1\t1");

    List<Path> pictures = Charts.draw(figures, folder);

    assertThat(pictures)
        .containsExactly(
            folder.resolve("2026-11-25-pingpong-1.png"), folder.resolve("2026-11-25-lines.png"));
    BufferedImage image = ImageIO.read(pictures.getFirst().toFile());
    assertThat(image.getColorModel().hasAlpha()).isFalse();
    assertThat(image.getRGB(0, 0) & 0xFFFFFF).isEqualTo(BACKGROUND);
  }

  @Test
  void barsAreAsHighAsTheirMediansAndWeirsHaveAColourOfTheirOwn() throws IOException {
    Path figures = figures("lines\tnetty\t1\t1\t1", "lines\tmounted\t0.5\t0.4\t0.6");

    BufferedImage image = ImageIO.read(Charts.draw(figures, folder).getFirst().toFile());

    int others = height(image, OTHERS);
    int weir = height(image, WEIR);
    assertThat((double) weir / others).isBetween(0.48, 0.52);
  }

  @Test
  void whatIsWeirsIsSoWithTlsAsWell() throws IOException {
    Path figures = figures("tls\tmounted-tls\t1\t1\t1", "tls\ttransfer-tls-boringssl\t1\t1\t1");

    BufferedImage image = ImageIO.read(Charts.draw(figures, folder).getFirst().toFile());

    assertThat(height(image, WEIR)).isPositive();
    assertThat(height(image, OTHERS)).isZero();
  }

  private Path figures(String... bars) throws IOException {
    StringBuilder text = new StringBuilder("A machine\nworkload\ttitle\t...\n");
    for (String bar : bars) {
      String[] cells = bar.split("\t", 2);
      text.append(cells[0] + "\tA title\tnetty = 1\tmore\t" + cells[1] + "\tversion 1\n");
    }
    return Files.writeString(folder.resolve("2026-11-25-charts.tsv"), text);
  }

  /** Of the longest column of pixels of the colour, which is a bar: the legend has less. */
  private static int height(BufferedImage image, int colour) {
    int height = 0;
    for (int x = 0; x < image.getWidth(); x++) {
      int count = 0;
      for (int y = 0; y < image.getHeight(); y++) {
        if ((image.getRGB(x, y) & 0xFFFFFF) == colour) {
          count++;
        }
      }
      height = Math.max(height, count);
    }
    return height;
  }
}
