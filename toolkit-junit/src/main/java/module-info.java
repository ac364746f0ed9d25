/** JUnit tests whose methods run on a loop. */
module dev.weir.junit {
  requires transitive dev.weir.core;
  requires transitive org.junit.jupiter.api;
  requires static org.jspecify;

  exports dev.weir.junit;
}
