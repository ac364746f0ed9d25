package dev.weir.junit;

import dev.weir.testing.VirtualLoop;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** Runs a {@link SeededTest} once for each seed. */
public final class SeedProvider implements TestTemplateInvocationContextProvider {
  /** For JUnit. */
  public SeedProvider() {}

  @Override
  public boolean supportsTestTemplate(ExtensionContext context) {
    return context.getRequiredTestMethod().isAnnotationPresent(SeededTest.class);
  }

  @Override
  public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(
      ExtensionContext context) {
    int count = context.getRequiredTestMethod().getAnnotation(SeededTest.class).value();
    if (count < 1) {
      throw new ExtensionConfigurationException(
          "@SeededTest(" + count + ") on " + context.getRequiredTestMethod() + ": at least 1");
    }
    return VirtualLoop.seeds(count).mapToObj(SeedContext::new);
  }

  @Override
  public String toString() {
    return "SeedProvider";
  }

  private record SeedContext(long seed) implements TestTemplateInvocationContext {
    @Override
    public String getDisplayName(int invocationIndex) {
      return "seed " + seed;
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
      return List.of((BeforeEachCallback) context -> LoopExtension.setSeed(context, seed));
    }
  }
}
