package dev.weir.stream;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The file of a Unix server's socket, from its making to its removal.
 *
 * <p>The socket is bound in a directory that only its owner can enter, so that nobody connects
 * before it listens and has its permissions. Then it is given its name by a link, which fails where
 * there is something already and so replaces nothing. What is there gives way only if it is a
 * socket of the same user's on which nobody listens.
 *
 * <p>Its methods block, so they are called on workers; one waits for the other. {@link #disown}
 * does not.
 */
final class SocketFile {
  private static final String DIRECTORY_PREFIX = ".weir-";
  private static final int DIRECTORY_RANDOM_CHARACTERS = 6;

  /** By how many bytes the path at which a socket is bound is longer than its name. */
  private static final int DIRECTORY_BYTES =
      DIRECTORY_PREFIX.length() + DIRECTORY_RANDOM_CHARACTERS + "/".length();

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  /** Each means that somebody else made or removed a file just then. */
  private static final int ATTEMPTS_MAX = 100;

  /** What the system says to an attempt to connect that would have to wait. */
  private static final String QUEUE_IS_FULL = "temporarily unavailable";

  private static final int TYPE_MASK = 0170000;
  private static final int TYPE_SOCKET = 0140000;

  /**
   * Files that are being removed in the background, because their server was closed. Whoever finds
   * one need not ask whether it listens: it may, for a moment.
   */
  private static final Set<Identity> DISOWNED = ConcurrentHashMap.newKeySet();

  /**
   * One of them is held while what is at a path is looked at and exchanged, so that servers of this
   * process that want the same path come one after another. A few for all paths: one that hangs
   * holds up few others.
   */
  private static final Object[] LOCKS = Stream.generate(Object::new).limit(16).toArray();

  /**
   * Which file a name stands for. An inode's number alone is used again once it is free, which a
   * socket's is as soon as it was removed and closed.
   */
  private record Identity(Object inode, Object device, FileTime created) {}

  private record Found(Identity identity, int mode, int owner) {
    static Found at(Path path) throws IOException {
      Map<String, Object> attributes =
          Files.readAttributes(
              path, "unix:ino,dev,mode,uid,creationTime", LinkOption.NOFOLLOW_LINKS);
      return new Found(
          new Identity(
              value(attributes, "ino"),
              value(attributes, "dev"),
              (FileTime) value(attributes, "creationTime")),
          (int) value(attributes, "mode"),
          (int) value(attributes, "uid"));
    }

    private static Object value(Map<String, Object> attributes, String name) {
      return Objects.requireNonNull(attributes.get(name), name);
    }

    boolean isSocket() {
      return (mode & TYPE_MASK) == TYPE_SOCKET;
    }

    String kind() {
      return switch (mode & TYPE_MASK) {
        case 0100000 -> "a file";
        case 0040000 -> "a directory";
        case 0120000 -> "a symbolic link";
        default -> "no socket";
      };
    }
  }

  private final Path path;
  private final Set<PosixFilePermission> permissions;
  private final Object lock;

  /** Where the socket is bound; null before and after. */
  private @Nullable Path directory;

  private boolean removed;

  /** What the name stands for once it was given. Written by workers, read on the loop. */
  private volatile @Nullable Identity identity;

  SocketFile(Path path, Set<PosixFilePermission> permissions) {
    this.path = path;
    this.permissions = permissions;
    this.lock = LOCKS[Math.floorMod(path.toAbsolutePath().normalize().hashCode(), LOCKS.length)];
  }

  /**
   * {@return where the socket is to be bound, in a directory made for it}
   *
   * @throws BindException if the path cannot be listened on
   */
  synchronized Path prepare() throws IOException {
    String tooLong = UnixPaths.tooLong(path, DIRECTORY_BYTES);
    if (tooLong != null) {
      throw new BindException(tooLong);
    }
    if (removed) {
      return path; // Nobody waits for it any more.
    }
    if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      throw new BindException("Unix servers are for POSIX systems only: " + path);
    }
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      throw inUse("there is a directory", "choose"); // Also for paths like .. and /
    }
    return makeDirectory().resolve(path.getFileName());
  }

  private Path makeDirectory() throws IOException {
    for (int attempt = 0; ; attempt++) {
      try {
        Path made =
            Files.createDirectory(
                path.resolveSibling(DIRECTORY_PREFIX + randomCharacters()),
                PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        directory = made;
        return made;
      } catch (FileAlreadyExistsException e) {
        if (attempt == ATTEMPTS_MAX) {
          throw e;
        }
      } catch (IOException e) {
        throw cannotWriteTo(e);
      }
    }
  }

  private static String randomCharacters() {
    int radix = Character.MAX_RADIX;
    long count = Math.powExact((long) radix, DIRECTORY_RANDOM_CHARACTERS);
    long random = ThreadLocalRandom.current().nextLong(count / radix, count); // No leading zero.
    return Long.toString(random, radix);
  }

  private IOException cannotWriteTo(IOException cause) {
    Path parent = path.toAbsolutePath().getParent();
    String what =
        switch (cause) {
          case AccessDeniedException _ -> "Permission denied: cannot make a socket in " + parent;
          case NoSuchFileException _ -> "No such directory: " + parent;
          default -> "Cannot make a socket in " + parent + ": " + cause.getMessage();
        };
    return withCause(what, cause);
  }

  private static BindException withCause(String what, IOException cause) {
    BindException exception = new BindException(what);
    exception.initCause(cause);
    return exception;
  }

  /**
   * Gives the socket, which listens now, its permissions and then its name, which it returns.
   *
   * @throws BindException if something is there that does not give way
   */
  synchronized Path publish() throws IOException {
    Path made = directory;
    if (made == null) {
      return path; // Nobody waits for it any more.
    }
    Path bound = made.resolve(path.getFileName());
    Files.setPosixFilePermissions(bound, permissions);
    Found own = Found.at(bound);
    synchronized (lock) {
      giveName(bound, own.owner(), made);
    }
    identity = own.identity();
    removeDirectory(made);
    return path;
  }

  private void giveName(Path bound, int ownUser, Path made) throws IOException {
    for (int attempt = 0; ; attempt++) {
      try {
        Files.createLink(path, bound);
        return;
      } catch (FileAlreadyExistsException e) {
        if (attempt == ATTEMPTS_MAX) {
          throw inUse("others come and go there", "choose");
        }
        clearAway(ownUser, made);
      } catch (IOException e) {
        throw cannotWriteTo(e);
      }
    }
  }

  /** Removes what was left at the path, or says why not. */
  private void clearAway(int ownUser, Path made) throws IOException {
    Found found;
    try {
      found = Found.at(path);
    } catch (NoSuchFileException e) {
      return;
    }
    if (!found.isSocket()) {
      throw inUse(
          "there is " + found.kind() + ", which a server does not replace", "remove it, or choose");
    }
    if (!DISOWNED.contains(found.identity())) {
      ensureNobodyListens();
      if (found.owner() != ownUser) {
        throw inUse(
            "there is a socket of the user " + found.owner() + "'s, on which nobody listens",
            "have it removed, or choose");
      }
    }
    try {
      takeAway(found.identity(), made);
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      throw cannotWriteTo(e);
    }
  }

  /**
   * Removes what is at the path if it is what is expected. It is not deleted where it is: a server
   * of another process may have put its own there since we looked. What was moved away nobody can
   * exchange.
   */
  private void takeAway(Identity expected, Path into) throws IOException {
    Path moved = into.resolve(path.getFileName() + ".moved");
    Files.move(path, moved, StandardCopyOption.ATOMIC_MOVE);
    if (!Found.at(moved).identity().equals(expected)) {
      try {
        Files.createLink(path, moved);
      } catch (FileAlreadyExistsException e) {
        // A third one was as quick, and has the name now.
      }
    }
    Files.delete(moved);
  }

  private void ensureNobodyListens() throws IOException {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.configureBlocking(false); // A full queue must not hold us up.
      probe.connect(UnixDomainSocketAddress.of(path));
    } catch (ConnectException e) {
      return;
    } catch (IOException e) {
      if (Files.notExists(path, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      if (String.valueOf(e.getMessage()).contains(QUEUE_IS_FULL)) {
        throw aServerListens();
      }
      throw withCause(
          "Address already in use: "
              + path
              + ": there is a socket, and no telling whether a server listens on it ("
              + e.getMessage()
              + "); remove it, or choose another path",
          e);
    }
    throw aServerListens();
  }

  private BindException aServerListens() {
    return inUse("a server listens there", "stop it, or choose");
  }

  private BindException inUse(String why, String remedy) {
    return new BindException(
        "Address already in use: " + path + ": " + why + "; " + remedy + " another path");
  }

  /**
   * Says that the server is closed and the file about to be removed, so that another may take its
   * place at once. Never blocks.
   */
  void disown() {
    Identity published = identity;
    if (published != null) {
      DISOWNED.add(published);
    }
  }

  /**
   * Removes what was made, unless somebody else has put another file in its place. A second call
   * has no effect.
   */
  synchronized void remove() throws IOException {
    removed = true;
    if (directory != null) {
      removeDirectory(directory);
    }
    Identity published = identity;
    if (published == null) {
      return;
    }
    identity = null;
    try {
      synchronized (lock) {
        if (Found.at(path).identity().equals(published)) {
          Path made = makeDirectory();
          try {
            takeAway(published, made);
          } finally {
            removeDirectory(made);
          }
        }
      }
    } catch (NoSuchFileException e) {
      // Somebody has removed it.
    } finally {
      DISOWNED.remove(published);
    }
  }

  private void removeDirectory(Path made) throws IOException {
    directory = null;
    for (int attempt = 0; ; attempt++) {
      Files.deleteIfExists(made.resolve(path.getFileName()));
      try {
        Files.deleteIfExists(made);
        return;
      } catch (DirectoryNotEmptyException e) {
        // The socket of a start that was cancelled was bound in between.
        if (attempt == ATTEMPTS_MAX) {
          throw e;
        }
      }
    }
  }

  @Override
  public String toString() {
    return "SocketFile[" + path + (identity != null ? ", published]" : "]");
  }
}
