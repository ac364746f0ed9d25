package dev.weir.benchmarks.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.stream.StreamOptions;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What peers that mean ill can make a server hold that has little memory, and what others notice.
 */
@Tag("slow")
@Timeout(60)
class HostilePeersTest {
  private static final long KIB = 1024;
  private static final long MIB = 1024 * KIB;

  /** What a server that has just started may still come to hold, whoever its peers are. */
  private static final long WARMING_UP = 4 * MIB;

  @Test
  void peersThatNeverReadAreHeldToHighWaterAndAMessageEach() throws Exception {
    int peers = 100;

    HostilePeers.Outcome outcome = HostilePeers.silent(peers, Duration.ZERO);

    long share = StreamOptions.defaults().highWater() + 64 * KIB + 8 * KIB;
    assertThat(outcome.heldGrowth()).isLessThan(peers * share + WARMING_UP);
    assertOthersWereServed(outcome);
  }

  @Test
  void clientsThatLieAboutLengthsAreGivenNoMemoryForThem() throws Exception {
    int clients = 1000;

    HostilePeers.Outcome outcome = HostilePeers.liars(clients);

    assertThat(outcome.directGrowth()).isLessThan(MIB);
    assertThat(outcome.heldGrowth()).isLessThan(clients * 8 * KIB + WARMING_UP);
    assertOthersWereServed(outcome);
  }

  @Test
  void ofALineWithoutEndNoMoreIsHeldThanTwiceTheLimitAndARead() throws Exception {
    HostilePeers.Outcome outcome = HostilePeers.endless(128 * MIB).outcome();

    long limit = StreamOptions.defaults().limit();
    assertThat(outcome.after().unread()).isBetween(limit, 2 * limit + 128 * KIB);
    assertThat(outcome.heldGrowth()).isLessThan(WARMING_UP);
    assertOthersWereServed(outcome);
  }

  private static void assertOthersWereServed(HostilePeers.Outcome outcome) {
    assertThat(outcome.honest().failures()).isEmpty();
    assertThat(outcome.honest().nanos()).isNotEmpty();
  }
}
