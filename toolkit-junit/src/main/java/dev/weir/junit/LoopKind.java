package dev.weir.junit;

/** What a test runs on. */
public enum LoopKind {
  /** A {@link dev.weir.testing.VirtualLoop}: no socket, no waiting. */
  VIRTUAL,
  /** A loop on the engine that is installed. */
  REAL
}
