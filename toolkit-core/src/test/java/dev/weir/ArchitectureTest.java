package dev.weir;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.constructors;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What module-info and the poms cannot say: which package uses which, and the shape of a public
 * type.
 */
@Tag("once")
class ArchitectureTest {
  private static final String TOP = "dev.weir";
  private static final String TASK = "dev.weir.task";
  private static final String SYNC = "dev.weir.sync";
  private static final String STREAM = "dev.weir.stream";
  private static final String DATAGRAM = "dev.weir.datagram";
  private static final String PROTOCOL = "dev.weir.protocol";
  private static final String TESTING = "dev.weir.testing";
  private static final String SPI = "dev.weir.spi";
  private static final String TLS = "dev.weir.tls";
  private static final String PIPE = "dev.weir.pipe";
  private static final String PROCESS = "dev.weir.process";
  private static final Set<String> EXPORTED =
      Set.of(TOP, TASK, SYNC, STREAM, DATAGRAM, PIPE, PROCESS, PROTOCOL, TESTING, SPI, TLS);

  private static final DescribedPredicate<JavaClass> EXPORTED_AND_PUBLIC =
      describe(
          "exported and public",
          type -> EXPORTED.contains(type.getPackageName()) && isPublicWithItsEnclosingTypes(type));

  private static final DescribedPredicate<JavaClass> FINAL =
      describe("final", type -> type.getModifiers().contains(JavaModifier.FINAL));

  private static final DescribedPredicate<JavaClass> SEALED =
      describe("sealed", type -> type.reflect().isSealed());

  private static final DescribedPredicate<JavaClass> THROWABLE =
      describe("throwable", type -> type.isAssignableTo(Throwable.class));

  /** What users make themselves, as they do in asyncio. */
  private static final DescribedPredicate<JavaClass> MADE_BY_USERS =
      describe(
          "made by users",
          type ->
              type.getPackageName().equals(SYNC)
                  || Set.of(
                          "Runner",
                          "TaskGroup",
                          "ContextVar",
                          "StreamReaderProtocol",
                          "TransportStreams")
                      .contains(type.getSimpleName()));

  private static final JavaClasses CORE =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  @Test
  void packagesFormNoCycle() {
    // Not "dev.weir.(**)": dev.weir itself is a slice too.
    slices().matching("dev.(**)").should().beFreeOfCycles().allowEmptyShould(true).check(CORE);
  }

  @Test
  void spiUsesTlsOnly() {
    assertNoUse(SPI, TOP, STREAM, SYNC, TASK, TESTING);
  }

  /** Whoever reads or writes options of TLS needs neither a loop nor an engine. */
  @Test
  void tlsUsesNoOtherPackage() {
    assertNoUse(TLS, TOP, STREAM, SYNC, TASK, TESTING, SPI);
  }

  @Test
  void taskUsesSpiOnly() {
    assertNoUse(TASK, TOP, STREAM, SYNC, TESTING, TLS);
  }

  @Test
  void syncUsesTaskOnly() {
    assertNoUse(SYNC, TOP, STREAM, SPI, TESTING, TLS);
  }

  @Test
  void streamUsesTaskSpiAndTlsOnly() {
    assertNoUse(STREAM, TOP, SYNC, TESTING);
  }

  @Test
  void pipeUsesStreamTaskAndSpiOnly() {
    assertNoUse(PIPE, TOP, SYNC, TESTING, TLS, PROCESS);
  }

  @Test
  void processUsesNothingAbovePipes() {
    assertNoUse(PROCESS, TOP, SYNC, TESTING, TLS);
  }

  @Test
  void datagramUsesTaskSpiAndStreamOnly() {
    assertNoUse(DATAGRAM, TOP, SYNC, PROTOCOL, TESTING);
  }

  @Test
  void streamsUseNoDatagrams() {
    assertNoUse(STREAM, DATAGRAM, PROTOCOL);
  }

  @Test
  void nothingUsesTestingButTests() {
    assertNoUse(TOP, TESTING);
  }

  @Test
  void nothingNamesNetty() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.netty..")
        .allowEmptyShould(true)
        .check(CORE);
  }

  /** A record, an enum without bodies and an annotation are final or interfaces already. */
  @Test
  void publicTypesAreNotOpenToInheritance() {
    classes()
        .that(are(EXPORTED_AND_PUBLIC))
        .should()
        .beInterfaces()
        .orShould()
        .beEnums()
        .orShould(be(FINAL))
        .orShould(be(SEALED))
        .orShould(be(THROWABLE))
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void publicClassesAreHandedOutNotConstructed() {
    constructors()
        .that()
        .areDeclaredInClassesThat(EXPORTED_AND_PUBLIC)
        .and()
        .areDeclaredInClassesThat(describe("no record", type -> !type.isRecord()))
        .and()
        .areDeclaredInClassesThat(DescribedPredicate.not(THROWABLE))
        .and()
        .areDeclaredInClassesThat(DescribedPredicate.not(MADE_BY_USERS))
        .should()
        .notBePublic()
        .allowEmptyShould(true)
        .check(CORE);
  }

  private void assertNoUse(String user, String... used) {
    noClasses()
        .that()
        .resideInAPackage(user)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(used)
        .allowEmptyShould(true)
        .check(CORE);
  }

  private static boolean isPublicWithItsEnclosingTypes(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass()
            .map(ArchitectureTest::isPublicWithItsEnclosingTypes)
            .orElse(true);
  }
}
