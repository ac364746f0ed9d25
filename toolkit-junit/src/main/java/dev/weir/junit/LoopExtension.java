package dev.weir.junit;

import dev.weir.task.RunOptions;
import dev.weir.testing.TestRunner;
import dev.weir.testing.VirtualOptions;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Runs the methods of one test on one loop; see {@link RunOnLoop}, which registers it. */
public final class LoopExtension implements InvocationInterceptor, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(LoopExtension.class);
  private static final String SEED = "seed";

  /** For JUnit. */
  public LoopExtension() {}

  /** Says with which seed the test of {@code context} runs. Before its first method does. */
  static void setSeed(ExtensionContext context, long seed) {
    store(context).put(SEED, seed);
  }

  @Override
  public void interceptBeforeEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runOnLoop(invocation, context);
  }

  @Override
  public void interceptTestMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runOnLoop(invocation, context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runOnLoop(invocation, context);
  }

  @Override
  public <T> T interceptTestFactoryMethod(
      Invocation<T> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    return runOnLoop(invocation, context);
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> invocation,
      DynamicTestInvocationContext dynamicTest,
      ExtensionContext context)
      throws Throwable {
    // Not from the store, which would find that of the factory method.
    try (TestRunner runner = newRunner(context)) {
      runner.run(() -> proceed(invocation));
    }
  }

  @Override
  public void interceptAfterEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runOnLoop(invocation, context);
  }

  /** Ends the loop of a test, and fails the test if something was left behind. */
  @Override
  public void afterEach(ExtensionContext context) {
    TestRunner runner = store(context).remove(TestRunner.class, TestRunner.class);
    if (runner != null) {
      runner.close();
    }
  }

  private static <T extends @Nullable Object> T runOnLoop(
      Invocation<T> invocation, ExtensionContext context) {
    // Found by the store, so that a test with the annotation on its class and on itself has one.
    TestRunner runner =
        store(context)
            .getOrComputeIfAbsent(TestRunner.class, type -> newRunner(context), TestRunner.class);
    return runner.run(() -> proceed(invocation));
  }

  private static <T extends @Nullable Object> T proceed(Invocation<T> invocation) throws Exception {
    try {
      return invocation.proceed();
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e); // Neither Exception nor Error, which nobody throws.
    }
  }

  private static TestRunner newRunner(ExtensionContext context) {
    if (kind(context) == LoopKind.REAL) {
      return TestRunner.onRealLoop(RunOptions.defaults());
    }
    Long seed = store(context).get(SEED, Long.class);
    VirtualOptions options = VirtualOptions.defaults();
    return TestRunner.onVirtualLoop(seed == null ? options : options.withSeed(seed));
  }

  private static LoopKind kind(ExtensionContext context) {
    if (context.getTestMethod().isEmpty()) { // A dynamic test: as its factory method says.
      return context.getParent().map(LoopExtension::kind).orElse(LoopKind.VIRTUAL);
    }
    return context
        .getElement()
        .flatMap(method -> AnnotationSupport.findAnnotation(method, RunOnLoop.class))
        .or(() ->
            AnnotationSupport.findAnnotation(
                context.getRequiredTestClass(), RunOnLoop.class, context.getEnclosingTestClasses()))
        .map(RunOnLoop::value)
        .orElse(LoopKind.VIRTUAL);
  }

  private static Store store(ExtensionContext context) {
    return context.getStore(NAMESPACE);
  }

  @Override
  public String toString() {
    return "LoopExtension";
  }
}
