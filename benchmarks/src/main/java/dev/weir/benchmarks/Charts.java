package dev.weir.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.AnnotationLine;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.internal.chartpart.Annotation;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/**
 * The pictures of {@code benchmarks/compare}: one for each workload, a bar for each server, with
 * the range of the rounds. They have a background of their own, so they can be read on a light page
 * and on a dark one.
 */
public final class Charts {
  private static final int WIDTH = 1000;
  private static final int CHART_HEIGHT = 460;
  private static final int LINE_HEIGHT = 16;
  private static final int MARGIN = 20;
  private static final int SCALE = 2;

  /** Longer names would run into each other, were they not written at a slant. */
  private static final int NAME_CHARS_MAX = 12;

  private static final Color BACKGROUND = new Color(0xFAFAF7);
  private static final Color TEXT = new Color(0x22272E);
  private static final Color FAINT = new Color(0xD8D8D2);
  private static final Color WEIR = new Color(0x0B7A75);
  private static final Color OTHERS = new Color(0x8FA3B5);
  private static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 11);
  private static final Font USUAL = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

  private static final Set<String> OWN =
      Set.of("mounted", "portable", "mounted-nio", "mounted-io_uring", "transfer");

  private Charts() {}

  /**
   * A bar.
   *
   * @param better whether {@code more} or {@code less} of the figure is better
   * @param about the server and its version
   */
  record Bar(
      String workload,
      String title,
      String figure,
      String better,
      String server,
      double median,
      double low,
      double high,
      String about) {
    static Bar parse(String line) {
      String[] cells = line.split("\t", -1);
      return new Bar(
          cells[0],
          cells[1],
          cells[2],
          cells[3],
          cells[4],
          Double.parseDouble(cells[5]),
          Double.parseDouble(cells[6]),
          Double.parseDouble(cells[7]),
          cells[8]);
    }

    /** {@return whether the server is Weir's} With TLS its name is the one without, and more. */
    boolean isOwn() {
      return OWN.contains(server.replaceFirst("-tls.*", ""));
    }

    boolean isRatio() {
      return figure.endsWith("= 1");
    }
  }

  /**
   * Draws what {@code benchmarks/compare} measured.
   *
   * @param args the file of the bars, and the folder for the pictures
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: Charts FILE FOLDER; FILE is a charts.tsv of compare");
      System.exit(2);
    }
    draw(Path.of(args[0]), Path.of(args[1]));
  }

  /** Draws a picture for each workload in the file: its name is the file's, with the workload's. */
  static List<Path> draw(Path file, Path folder) throws IOException {
    List<String> lines = Files.readAllLines(file);
    String machine = lines.getFirst();
    Map<String, List<Bar>> workloads = new LinkedHashMap<>();
    for (String line : lines.subList(2, lines.size())) {
      Bar bar = Bar.parse(line);
      workloads.computeIfAbsent(bar.workload(), _ -> new ArrayList<>()).add(bar);
    }
    String prefix = file.getFileName().toString().replace("charts.tsv", "");
    List<Path> pictures = new ArrayList<>();
    for (Map.Entry<String, List<Bar>> workload : workloads.entrySet()) {
      Path picture = folder.resolve(prefix + workload.getKey() + ".png");
      ImageIO.write(draw(workload.getValue(), machine), "png", picture.toFile());
      pictures.add(picture);
    }
    return pictures;
  }

  private static BufferedImage draw(List<Bar> bars, String machine) {
    CategoryChart chart = chart(bars);
    List<String> notes = notes(bars, machine);
    int height = CHART_HEIGHT + notes.size() * LINE_HEIGHT + MARGIN;
    BufferedImage image =
        new BufferedImage(WIDTH * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.scale(SCALE, SCALE);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(BACKGROUND);
    graphics.fillRect(0, 0, WIDTH, height);
    chart.paint(graphics, WIDTH, CHART_HEIGHT);
    graphics.setFont(SMALL);
    graphics.setColor(TEXT);
    int y = CHART_HEIGHT + LINE_HEIGHT;
    for (String note : notes) {
      graphics.drawString(note, MARGIN, y);
      y += LINE_HEIGHT;
    }
    graphics.dispose();
    return image;
  }

  private static CategoryChart chart(List<Bar> bars) {
    Bar first = bars.getFirst();
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(CHART_HEIGHT)
            .title(first.title())
            .yAxisTitle(first.figure() + " (" + first.better() + " is better)")
            .build();
    List<String> servers = bars.stream().map(Bar::server).toList();
    if (bars.stream().anyMatch(bar -> bar.isOwn())) {
      chart.addSeries("Weir", servers, medians(bars, true)).setFillColor(WEIR);
    }
    if (bars.stream().anyMatch(bar -> !bar.isOwn())) {
      chart.addSeries("others", servers, medians(bars, false)).setFillColor(OTHERS);
    }
    style(chart.getStyler());
    if (servers.stream().anyMatch(server -> server.length() > NAME_CHARS_MAX)) {
      chart.getStyler().setXAxisLabelRotation(20);
    }
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setYAxisMax(1.12 * bars.stream().mapToDouble(Bar::high).max().orElseThrow());
    if (first.isRatio()) {
      chart.addAnnotation(new AnnotationLine(1, false, false));
    }
    chart.addAnnotation(new Ranges(bars));
    return chart;
  }

  private static List<@Nullable Double> medians(List<Bar> bars, boolean own) {
    List<@Nullable Double> medians = new ArrayList<>();
    for (Bar bar : bars) {
      medians.add(bar.isOwn() == own ? bar.median() : null);
    }
    return medians;
  }

  private static void style(CategoryStyler styler) {
    styler.setOverlapped(true).setAvailableSpaceFill(0.7);
    styler.setChartBackgroundColor(BACKGROUND).setPlotBackgroundColor(BACKGROUND);
    styler.setChartFontColor(TEXT).setPlotBorderVisible(false).setChartTitleBoxVisible(false);
    styler.setPlotGridVerticalLinesVisible(false).setPlotGridLinesColor(FAINT);
    styler.setAxisTickLabelsColor(TEXT).setAxisTickLabelsFont(USUAL).setAxisTitleFont(USUAL);
    styler.setLegendPosition(LegendPosition.OutsideS).setLegendLayout(LegendLayout.Horizontal);
    styler.setLegendBackgroundColor(BACKGROUND);
    styler.setLegendBorderColor(FAINT).setLegendFont(USUAL);
    styler.setAnnotationLineColor(TEXT).setAnnotationLineStroke(new BasicStroke(1));
    styler.setChartTitleFont(USUAL.deriveFont(Font.BOLD, 16f));
  }

  private static List<String> notes(List<Bar> bars, String machine) {
    List<String> notes = new ArrayList<>();
    notes.add("Bars: medians. Lines: from the lowest to the highest of the rounds.");
    notes.add(machine);
    for (Bar bar : bars) {
      notes.add(bar.server() + ": " + bar.about());
    }
    return notes;
  }

  /** The ranges, and the medians in figures above them. */
  private static final class Ranges extends Annotation {
    private static final int CAP = 4;

    private final List<Bar> bars;

    Ranges(List<Bar> bars) {
      super(false);
      this.bars = bars;
    }

    @Override
    public void paint(Graphics2D graphics) {
      graphics.setColor(TEXT);
      graphics.setStroke(new BasicStroke(1.4f));
      graphics.setFont(SMALL);
      for (int i = 0; i < bars.size(); i++) {
        Bar bar = bars.get(i);
        int x = getXAxisScreenValue(i + 0.5); // In the middle of its category, which is 1 wide.
        int low = getYAxisScreenValue(bar.low());
        int high = getYAxisScreenValue(bar.high());
        graphics.drawLine(x, low, x, high);
        graphics.drawLine(x - CAP, low, x + CAP, low);
        graphics.drawLine(x - CAP, high, x + CAP, high);
        String text = String.format(Locale.ROOT, bar.isRatio() ? "%.2f" : "%,.0f", bar.median());
        graphics.drawString(
            text, x - graphics.getFontMetrics().stringWidth(text) / 2, high - CAP - 2);
      }
    }
  }
}
