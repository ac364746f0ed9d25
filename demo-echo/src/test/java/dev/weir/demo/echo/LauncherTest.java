package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code demo-echo/echo}, in front of a jar that tells how it was started. */
@Tag("slow")
@Tag("once")
class LauncherTest {
  private static final Path REAL_JDK = Path.of(System.getProperty("java.home"));

  @TempDir private Path folder;
  private Path launcher;
  private Path oldJava;

  /**
   * Lays out a project with a copy of the script, a java that says it is 17, and a home with a real
   * JDK in it.
   */
  @BeforeEach
  void layOut() throws IOException {
    folder = folder.toRealPath();
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "needs bash");
    Path demo = Files.createDirectories(folder.resolve("project/demo-echo"));
    launcher = Files.copy(Path.of("echo"), demo.resolve("echo"));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    Files.createDirectories(demo.resolve("target/lib"));
    writeTellingJar(demo.resolve("target/demo-echo.jar"));

    oldJava = Files.createDirectories(folder.resolve("old/bin")).resolve("java");
    writeScript(oldJava, "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2");
    Path jdks = Files.createDirectories(folder.resolve("home/.jdks"));
    Files.createSymbolicLink(jdks.resolve("jdk"), REAL_JDK);
  }

  @Test
  void itFindsANewJdkAlthoughThePathHasAnOldOne() throws Exception {
    String said = run(launcher, Map.of(), "server", "two words");

    assertThat(said).isEqualTo("feature ok, [server, two words] in " + folder + "\n");
  }

  @Test
  void itIsFoundThroughASymbolicLink() throws Exception {
    Path link =
        Files.createSymbolicLink(folder.resolve("weir-echo"), Path.of("project/demo-echo/echo"));

    String said = run(link, Map.of(), "client");

    assertThat(said).isEqualTo("feature ok, [client] in " + folder + "\n");
  }

  @Test
  void javaHomeComesFirst() throws Exception {
    Path home = Files.createDirectories(folder.resolve("mine"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"99\"\n");
    writeScript(Files.createDirectories(home.resolve("bin")).resolve("java"), "echo mine: \"$@\"");

    String said = run(launcher, Map.of("JAVA_HOME", home.toString()), "server");

    assertThat(said)
        .isEqualTo(
            "mine: -jar " + folder.resolve("project/demo-echo/target/demo-echo.jar") + " server\n");
  }

  @Test
  void aJavaHomeThatIsTooOldIsPassedOver() throws Exception {
    String said = run(launcher, Map.of("JAVA_HOME", folder.resolve("old").toString()), "server");

    assertThat(said).startsWith("feature ok");
  }

  private String run(Path program, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(program.toString());
    builder.command().addAll(List.of(arguments));
    builder.directory(folder.toFile());
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("JAVA_") || name.startsWith("JDK_"));
    builder.environment().put("HOME", folder.resolve("home").toString());
    builder.environment().put("PATH", oldJava.getParent() + ":/usr/bin:/bin");
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  private static void writeScript(Path file, String body) throws IOException {
    Files.writeString(file, "#!/bin/bash\n" + body + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private static void writeTellingJar(Path jar) throws IOException {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.put(Attributes.Name.MAIN_CLASS, Telling.class.getName());
    main.put(Attributes.Name.CLASS_PATH, Path.of("target/test-classes").toUri().toString());
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file, manifest)) {
      out.flush();
    }
  }

  /** The main class of the jar. */
  static final class Telling {
    public static void main(String[] arguments) {
      String feature = Runtime.version().feature() >= 25 ? "ok" : "too old";
      IO.println(
          "feature "
              + feature
              + ", "
              + List.of(arguments)
              + " in "
              + System.getProperty("user.dir"));
    }
  }
}
