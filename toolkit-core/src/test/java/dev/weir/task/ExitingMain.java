package dev.weir.task;

import java.time.Duration;

/** What tests run in a JVM of its own: one way of ending each, or what depends on its options. */
final class ExitingMain {
  private static final Duration LONG = Duration.ofHours(1);

  /** Shows as a hang, if the exit of the JVM waits for what it must not wait for. */
  private static final RunOptions PATIENT =
      RunOptions.defaults().withExitTimeout(LONG).withShutdownTimeout(LONG);

  private ExitingMain() {}

  public static void main(String[] arguments) {
    switch (arguments[0]) {
      case "sleep" -> run(PATIENT, ExitingMain::sleepAndCleanUp);
      case "sleep without a hook" ->
          run(RunOptions.defaults().withExitTimeout(Duration.ZERO), ExitingMain::sleepAndCleanUp);
      case "refuse to end" ->
          run(
              RunOptions.defaults().withExitTimeout(Duration.ofMillis(50)),
              ExitingMain::refuseToEnd);
      case "exit from a task" -> run(PATIENT, ExitingMain::exitFromATask);
      case "exit from a callback" -> run(PATIENT, ExitingMain::exitFromACallback);
      case "exit from a worker" -> run(PATIENT, ExitingMain::exitFromAWorker);
      case "handle signals" -> handleSignals();
      case "ask for SIGHUP" -> run(PATIENT, ExitingMain::askForSighup);
      case "end at SIGUSR1" -> run(PATIENT, ExitingMain::endAtSigusr1);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void run(RunOptions options, Action main) {
    try {
      Loops.call(options, Loop.asCoroutine(main));
    } catch (CancelledError e) {
      say("cancelled: " + e.getMessage());
    }
  }

  private static void sleepAndCleanUp() {
    try {
      say("ready");
      Loop.running().sleep(LONG);
    } finally {
      Loop.running().yieldNow();
      say("cleaned up");
    }
  }

  private static void refuseToEnd() {
    say("ready");
    while (true) {
      try {
        Loop.running().sleep(LONG);
      } catch (CancelledError e) {
        say("refused");
      }
    }
  }

  private static void exitFromATask() {
    Loop.running().createTask(() -> System.exit(3));
    Loop.running().sleep(LONG);
  }

  private static void exitFromACallback() {
    Loop.running().callSoon(() -> System.exit(3));
    Loop.running().sleep(LONG);
  }

  private static void exitFromAWorker() {
    Loop.running()
        .runInExecutor(() -> {
          System.exit(3);
          return null;
        });
    sleepAndCleanUp();
  }

  private static void handleSignals() {
    try {
      run(PATIENT.withHandleSignals(true), ExitingMain::sleepAndCleanUp);
    } catch (SignalException e) {
      say(e.getMessage());
      System.exit(e.exitStatus());
    }
  }

  private static void askForSighup() {
    try {
      Loop.running().addSignalHandler("HUP", () -> {});
      say("got it");
    } catch (IllegalStateException e) {
      say(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  private static void endAtSigusr1() {
    Future<String> signal = Loop.running().createFuture();
    Loop.running().addSignalHandler("USR1", () -> signal.setResult("SIGUSR1 came"));
    say("ready");
    say(signal.await());
  }

  private static void say(String line) {
    System.out.println(line);
  }
}
