package dev.weir.junit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Runs test methods, and the {@code @BeforeEach} and {@code @AfterEach} methods around them, as
 * tasks on a loop: one loop for each test. A test that leaves tasks, timers, connections or errors
 * behind fails with a {@link dev.weir.testing.LeftBehindError}, and on a virtual loop one that can
 * never end fails with a {@link dev.weir.testing.DeadlockError}. What a test leaves that fails by
 * itself is noted beside its failure, as suppressed.
 *
 * <pre>{@code
 * @RunOnLoop
 * class EchoTest {
 *   @Test
 *   void answersWithWhatItGot() throws IOException {
 *     try (Server server = Asyncio.startServer(new Echo(), "127.0.0.1", 8888);
 *         Connection connection = Asyncio.openConnection("127.0.0.1", 8888)) {
 *       connection.writer().writeLine("hello");
 *       assertEquals("hello", connection.reader().readLine(UTF_8));
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>On a class it holds for every test in it; on a method for that one, whatever the class says.
 *
 * <p>Each test of a {@code @TestFactory} has a loop of its own. The factory method has another one,
 * together with the {@code @BeforeEach} and {@code @AfterEach} methods, which JUnit calls once for
 * all of its tests: what belongs to a loop, a connection say, is made in the tests themselves.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ExtendWith(LoopExtension.class)
public @interface RunOnLoop {
  /** Which kind of loop. */
  LoopKind value() default LoopKind.VIRTUAL;
}
