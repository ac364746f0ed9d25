package dev.weir.process;

/** What a subprocess said until its end: the value of {@link Subprocess#communicate()}. */
public final class ProcessOutput {
  private final byte[] stdout;
  private final byte[] stderr;

  ProcessOutput(byte[] stdout, byte[] stderr) {
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** {@return its standard output; nothing if that was no pipe} It is the caller's. */
  public byte[] stdout() {
    return stdout;
  }

  /** {@return its standard error; nothing if that was no pipe} It is the caller's. */
  public byte[] stderr() {
    return stderr;
  }

  @Override
  public String toString() {
    return "ProcessOutput["
        + stdout.length
        + " bytes of stdout, "
        + stderr.length
        + " bytes of stderr]";
  }
}
