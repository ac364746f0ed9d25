package dev.weir.tls;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.security.cert.X509Certificate;
import java.util.List;

/** An authority of the tests' own, and what it has signed. */
final class Certificates {
  static final X509Bundle AUTHORITY = selfSigned(authority("CN=Weir test authority"));

  private Certificates() {}

  static CertificateBuilder authority(String subject) {
    return new CertificateBuilder().ecp256().subject(subject).setIsCertificateAuthority(true);
  }

  static CertificateBuilder builder(String subject) {
    return new CertificateBuilder().ecp256().subject(subject);
  }

  static X509Bundle server(String... names) {
    return issued(serverBuilder(names));
  }

  static CertificateBuilder serverBuilder(String... names) {
    CertificateBuilder builder = builder("CN=server").addExtendedKeyUsageServerAuth();
    for (String name : names) {
      builder.addSanDnsName(name);
    }
    return builder;
  }

  static X509Bundle issued(CertificateBuilder builder) {
    return issued(builder, AUTHORITY);
  }

  static X509Bundle issued(CertificateBuilder builder, X509Bundle issuer) {
    try {
      return builder.buildIssuedBy(issuer);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  static X509Bundle selfSigned(CertificateBuilder builder) {
    try {
      return builder.buildSelfSigned();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  static TlsIdentity identity(X509Bundle bundle) {
    return identity(bundle, bundle.getCertificatePath());
  }

  static TlsIdentity identity(X509Bundle bundle, X509Certificate... chain) {
    return TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(chain));
  }
}
