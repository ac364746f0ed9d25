package dev.weir.junit;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs once for each seed from 0 on, on a virtual loop with that seed, instead of
 * {@code @Test}: in every run tasks, delays and faults come in another order. Each run is a test of
 * its own, whose name tells the seed. If the system property {@code weir.seed} is set, only that
 * seed runs.
 *
 * <p>For thousands of seeds {@link dev.weir.testing.VirtualLoop#runSeeds} in one test is faster.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(SeedProvider.class)
@RunOnLoop
public @interface SeededTest {
  /** How many seeds, at least 1. */
  int value();
}
