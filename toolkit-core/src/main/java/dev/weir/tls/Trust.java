package dev.weir.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Whose certificates are accepted. Any thread. */
final class Trust {
  private static final Trust SYSTEM = new Trust("the system's certificates", null, null);
  private static final Trust ANYBODY = new Trust("anybody", null, new UncheckedTrustManager());

  private final String words;

  /** Null for the system's. */
  private final @Nullable List<X509Certificate> trusted;

  /** Made by the first who needs it, as that may mean to read a file. Guarded by this. */
  private @Nullable X509ExtendedTrustManager manager;

  private Trust(
      String words,
      @Nullable List<X509Certificate> trusted,
      @Nullable X509ExtendedTrustManager manager) {
    this.words = words;
    this.trusted = trusted;
    this.manager = manager;
  }

  static Trust ofSystem() {
    return SYSTEM;
  }

  static Trust ofAnybody() {
    return ANYBODY;
  }

  static Trust of(List<X509Certificate> trusted) {
    if (trusted.isEmpty()) {
      throw new IllegalArgumentException("no trusted certificate: nobody could be trusted");
    }
    List<X509Certificate> copy = List.copyOf(trusted);
    return new Trust(
        copy.size() + (copy.size() == 1 ? " certificate" : " certificates"), copy, null);
  }

  static List<X509Certificate> certificates(KeyStore store) {
    try {
      List<X509Certificate> found = new ArrayList<>();
      for (String alias : Collections.list(store.aliases())) {
        if (store.isCertificateEntry(alias)
            && store.getCertificate(alias) instanceof X509Certificate certificate) {
          found.add(certificate);
        }
      }
      return found;
    } catch (KeyStoreException e) {
      throw new IllegalArgumentException("the key store was not loaded: call load() before", e);
    }
  }

  boolean checks() {
    return this != ANYBODY;
  }

  synchronized X509ExtendedTrustManager manager() throws TlsException {
    if (manager == null) {
      manager = new ExplainingTrustManager(newManager());
    }
    return manager;
  }

  private X509ExtendedTrustManager newManager() throws TlsException {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(trusted == null ? null : store(trusted));
      for (TrustManager made : factory.getTrustManagers()) {
        if (made instanceof X509ExtendedTrustManager extended) {
          return extended;
        }
      }
      throw new TlsException("The JDK offers no X509ExtendedTrustManager");
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException("Cannot use " + words + " for trust: " + e.getMessage(), e);
    }
  }

  private static KeyStore store(List<X509Certificate> certificates)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (int i = 0; i < certificates.size(); i++) {
      store.setCertificateEntry("trusted-" + i, certificates.get(i));
    }
    return store;
  }

  @Override
  public String toString() {
    return words;
  }
}
