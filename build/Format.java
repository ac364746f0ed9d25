import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/** Runs google-java-format with the given options over every Java file below this folder. */
void main(String... options) throws Exception {
  List<String> arguments = new ArrayList<>(List.of(options));
  Files.walkFileTree(
      Path.of(""),
      new SimpleFileVisitor<>() {
        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
          String name = folder.getFileName().toString();
          return name.equals("target") || name.startsWith(".")
              ? FileVisitResult.SKIP_SUBTREE
              : FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
            throws IOException {
          if (file.toString().endsWith(".java")) {
            arguments.add(file.toString());
          }
          return FileVisitResult.CONTINUE;
        }
      });
  PrintWriter out = new PrintWriter(System.out, true);
  PrintWriter err = new PrintWriter(System.err, true);
  int status = new Main(out, err, System.in).format(arguments.toArray(String[]::new));
  out.flush();
  err.flush();
  if (status != 0) {
    System.err.println("The files above are not formatted (or do not parse): run build/format.");
  }
  System.exit(status);
}
