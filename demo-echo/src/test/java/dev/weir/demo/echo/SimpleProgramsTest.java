package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * The two programs moved over from Python, each on a terminal of its own, at which a script of
 * Python's sits.
 */
@Tag("slow")
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class SimpleProgramsTest {
  @Test
  void onTerminalsTheyTalkAsInPython() throws Exception {
    assertThat(TerminalScript.run("simple_programs_on_terminals.py"))
        .isEqualToNormalizingNewlines(
            """
            client: Enter a message: Hello, Weir!
            client: Sent: Hello, Weir!
            client ended with 0
            server: Received: Hello, Weir!
            server ended with 130
            """);
  }
}
