package dev.weir.tls;

/** Whether clients show certificates, too. */
public enum ClientAuthentication {
  /** They are not asked. */
  NONE,

  /**
   * They are asked and need not have one; one that is there is checked. As {@code CERT_OPTIONAL}.
   */
  OPTIONAL,

  /** Who has none, or one that is not to be trusted, is refused. As {@code CERT_REQUIRED}. */
  REQUIRED
}
