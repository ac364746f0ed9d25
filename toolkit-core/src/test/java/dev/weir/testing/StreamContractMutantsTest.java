package dev.weir.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.testing.StreamContract.Abort;
import dev.weir.testing.StreamContract.HalfClose;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract finds transports that break it, and what it says is enough to see how.
 *
 * <p>A reader or writer that is broken itself is not modelled: their classes are final, and their
 * own tests look after them.
 */
class StreamContractMutantsTest {

  /**
   * One broken transport.
   *
   * @param halfClose what it is said to be able to
   * @param promise the check that has to find it
   * @param words what its message says
   */
  private record Mutant(
      Supplier<Tampering> tampering, HalfClose halfClose, String promise, List<String> words) {
    @Override
    public String toString() {
      return tampering.get().getClass().getSimpleName();
    }
  }

  private static Mutant mutant(Supplier<Tampering> tampering, String promise, String... words) {
    return new Mutant(tampering, HalfClose.YES, promise, List.of(words));
  }

  private static Mutant mutantThatCannotHalfClose(
      Supplier<Tampering> tampering, String promise, String... words) {
    return new Mutant(tampering, HalfClose.NO, promise, List.of(words));
  }

  static Stream<Mutant> mutants() {
    return Stream.of(
        mutant(
            Mutants.LosesAByteAtASegmentBorder::new,
            "Bytes arrive whole and in order, both ways at once",
            "expected 1048576 bytes, but was 1048575 bytes, the first difference at offset 65536"),
        mutant(
            Mutants.DoublesASegment::new,
            "Bytes arrive whole and in order, both ways at once",
            "expected 1048576 bytes, but was 1114112 bytes, the first difference at offset 131072"),
        mutant(
            Mutants.SwapsTwoSegments::new,
            "Bytes arrive whole and in order, both ways at once",
            "expected 1048576 bytes, but was 1048576 bytes, the first difference at offset 65536"),
        mutant(
            Mutants.KeepsTheCallersArray::new,
            "An array may be reused as soon as the write returns",
            "expected \"12345aaabbbbbccccccccccddddd\", but was \""),
        mutant(
            Mutants.ForgetsPauseWriting::new,
            "A peer that does not read holds the writer back, and gets everything once it reads",
            "what was taken while nobody reads, in bytes: expected at most 67108864, but was"),
        mutant(
            Mutants.IgnoresPauseReading::new,
            "A peer with small buffers that does not read holds the writer back as well",
            "what was taken while nobody reads, in bytes: expected at most 67108864, but was"),
        mutant(
            Mutants.ForgetsResumeWriting::new,
            "Writers that wait go on in the order of their calls, and nobody overtakes them",
            "not ended within 30 s",
            "Task[writer 0, pending] waits",
            "StreamWriter.write",
            "WriteGate[FULL, 11 writers",
            "0 bytes unsent"),
        mutant(
            Mutants.IgnoresResumeReading::new,
            "A peer that does not read holds the writer back, and gets everything once it reads",
            "not ended within 30 s",
            "StreamReader.read",
            "ReadBuffer[0 bytes], a task waits]"),
        mutant(
            Mutants.CountsNothingAsUnsent::new,
            "In a callback a write does not wait, and fails at the hard cap",
            "expected WriteBufferFullException, but it returned \"2097152 bytes were taken\""),
        mutant(
            Mutants.DropsTheEnd::new,
            "The end of the stream is seen again and again",
            "not ended within 30 s",
            "Task[check, pending] waits",
            "StreamReader.read"),
        mutant(
            Mutants.ReportsTheEndBeforeTheLastBytes::new,
            "readExactly(n) at the end of the stream fails and hands over what was left",
            "partial(): expected \"partial\", but was \"\""),
        mutant(
            Mutants.ClosesAtThePeersEnd::new,
            "After writeEof() the peer sees everything, then the end, and its answer arrives",
            "isClosing() of the end that has only read to the end: expected false, but was true"),
        mutant(
            Mutants.ClosesAtItsOwnEnd::new,
            "After writeEof() the peer sees everything, then the end, and its answer arrives",
            "the answer: expected 200000 bytes, but was 0 bytes"),
        mutant(
            Mutants.SaysItCannotHalfClose::new,
            "After writeEof() the peer sees everything, then the end, and its answer arrives",
            "canWriteEof(): expected true, but was false"),
        mutantThatCannotHalfClose(
            Tampering::new,
            "canWriteEof() says no, and writeEof() is refused without harm",
            "canWriteEof(): expected false, but was true"),
        mutantThatCannotHalfClose(
            Mutants.SaysItCannotHalfClose::new,
            "When one end is closed the other one closes, too, and neither is lost",
            "not ended within 30 s",
            "StreamWriter.waitClosed"),
        mutantThatCannotHalfClose(
            Mutants.IgnoresCloseWithoutHalfClose::new,
            "readAll(max) returns everything up to the end, or fails and leaves all of it",
            "did not expect",
            "Connection reset by peer",
            "readAllWithinMax"),
        mutant(
            Mutants.IgnoresClose::new,
            "close() does not wait; everything written arrives, then the end",
            "did not expect",
            "Connection reset by peer"),
        mutant(
            Mutants.DropsWhatIsUnsentWhenClosed::new,
            "close() does not wait; everything written arrives, then the end",
            "did not expect",
            "Connection reset by peer"),
        mutant(
            Mutants.NeverReportsTheEndOfAClose::new,
            "waitClosed() waits for the end, however often it is called",
            "not ended within 30 s",
            "Task[second, pending] waits",
            "StreamWriter.waitClosed"),
        mutant(
            Mutants.TakesAResetForAnEnd::new,
            "An abort drops what is unsent, and the peer does not take the rest for the whole",
            "expected ConnectionResetException, but it returned \"an end of the stream after"),
        mutant(
            Mutants.EndsInOrderWhenAborted::new,
            "An abort ends a read of the peer's that waits",
            "expected ConnectionResetException, but it threw",
            "IncompleteReadException: 7 bytes"),
        mutant(
            Mutants.DropsWhatArrivedWhenReset::new,
            "What was sent before an abort arrives before the reset",
            "did not expect",
            "Connection reset by peer",
            "sentThenReset"),
        mutant(
            Mutants.NeverReportsALoss::new,
            "Bytes arrive whole and in order, both ways at once",
            "left behind, although both ends were aborted",
            "an end that never says it is closed, StreamWriter[",
            "closing]"),
        mutant(
            Mutants.NeverReportsALoss::new,
            "An abort ends a read of the peer's that waits",
            "not ended within 30 s",
            "Task[reader, pending] waits",
            "StreamReader.readExactly"),
        mutant(
            Mutants.MixesUpAddresses::new,
            "The local address of one end is the remote address of the other, also after close()",
            "the remote address of right: expected /127.0.0.1:"),
        mutant(
            Mutants.LosesAByteAtASegmentBorder::new,
            "Whatever read is cancelled at whatever moment, each byte is read once",
            "Failed after a cancellation at suspension 1 here:",
            "caused by",
            "what was read in the end: expected"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mutants")
  void aBrokenTransportIsFoundAndTheMessageSaysHow(Mutant mutant) {
    StreamContract.Check check =
        StreamContract.checks(Abort.RESET, mutant.halfClose).stream()
            .filter(each -> each.name().equals(mutant.promise))
            .findFirst()
            .orElseThrow();

    TamperedEngine.run(
        mutant.tampering,
        () -> {
          AssertionError broken =
              catchThrowableOfType(AssertionError.class, () -> check.run(StreamPair::open));

          assertThat(broken).isNotNull();
          assertThat(broken.getMessage()).startsWith(mutant.promise + ": ").contains(mutant.words);
        });
  }
}
