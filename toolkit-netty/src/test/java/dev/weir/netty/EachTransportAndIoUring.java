package dev.weir.netty;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An {@link EachTransport} that io_uring has to pass as well. Not all do: it is chosen by its name
 * only, and a third of the build's time would be its.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(name = "{0}")
@ValueSource(strings = {"nio", "epoll", "io_uring"})
@interface EachTransportAndIoUring {}
