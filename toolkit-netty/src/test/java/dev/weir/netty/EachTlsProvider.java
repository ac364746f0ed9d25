package dev.weir.netty;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A test that runs with each TLS engine, and on each transport with one of them; its parameters are
 * the transport's name and the provider.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(name = "{0}, {1}")
@CsvSource({"nio, JDK", "epoll, JDK", "epoll, BORINGSSL"})
@interface EachTlsProvider {}
