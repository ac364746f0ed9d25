// TLS for the load generator, by OpenSSL: one version and one cipher suite, so that servers differ in nothing but themselves.
//
// OpenSSL never sees a socket. It takes ciphertext from `cipher_in` and leaves it in `cipher_out`, one of each for all
// connections, so a message costs one recv and one send as it does without TLS: with a socket of its own OpenSSL would
// call recv twice for each record. What a full socket does not take is kept with its connection.

#ifndef TLS_H
#define TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#define TLS_CIPHER_SUITE "TLS_AES_128_GCM_SHA256"
#define RECORD_BYTES 16384  // The most plaintext that a record may have.
#define RECORD_CIPHER_BYTES (RECORD_BYTES + 256)
#define RECORDS_AT_ONCE 8
#define CIPHER_OUT_BYTES (RECORDS_AT_ONCE * RECORD_CIPHER_BYTES)
#define CIPHER_IN_BYTES (128 * 1024)

struct tls {
  SSL *ssl;
  char *kept;  // Ciphertext that the socket has not taken yet; made once, where it is first needed.
  long kept_from, kept_to;
};

static SSL_CTX *tls_context;
static BIO_METHOD *tls_buffers;
static char cipher_in[CIPHER_IN_BYTES], cipher_out[CIPHER_OUT_BYTES];
static long cipher_in_from, cipher_in_to, cipher_out_to;

static void tls_refuse(const char *what) {
  unsigned long error = ERR_get_error();
  fprintf(stderr, "load: %s: %s\n", what, error == 0 ? "no reason given" : ERR_reason_error_string(error));
  exit(1);
}

static int take_cipher_in(BIO *bio, char *data, int length) {
  BIO_clear_retry_flags(bio);
  long there = cipher_in_to - cipher_in_from;
  if (there == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (length > there) length = there;
  memcpy(data, cipher_in + cipher_in_from, length);
  cipher_in_from += length;
  return length;
}

static int add_cipher_out(BIO *bio, const char *data, int length) {
  BIO_clear_retry_flags(bio);
  if (length > CIPHER_OUT_BYTES - cipher_out_to) {
    BIO_set_retry_write(bio);
    return -1;
  }
  memcpy(cipher_out + cipher_out_to, data, length);
  cipher_out_to += length;
  return length;
}

static long control_buffers(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static void tls_prepare(void) {
  tls_context = SSL_CTX_new(TLS_client_method());
  tls_buffers = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers of the load generator");
  if (tls_context == NULL || tls_buffers == NULL
      || !SSL_CTX_set_min_proto_version(tls_context, TLS1_3_VERSION)
      || !SSL_CTX_set_max_proto_version(tls_context, TLS1_3_VERSION)
      || !SSL_CTX_set_ciphersuites(tls_context, TLS_CIPHER_SUITE)
      || !BIO_meth_set_read(tls_buffers, take_cipher_in)
      || !BIO_meth_set_write(tls_buffers, add_cipher_out)
      || !BIO_meth_set_ctrl(tls_buffers, control_buffers)) {
    tls_refuse("OpenSSL cannot be used");
  }
  // The servers make their certificates themselves, there is nothing to compare them with.
  SSL_CTX_set_verify(tls_context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
}

static void send_all(int fd, const char *data, long length) {
  while (length > 0) {
    ssize_t count = send(fd, data, length, MSG_NOSIGNAL);
    if (count < 0) fail("send");
    data += count;
    length -= count;
  }
}

static void require_cipher(SSL *ssl) {
  const char *cipher = SSL_get_cipher_name(ssl);
  if (SSL_version(ssl) == TLS1_3_VERSION && strcmp(cipher, TLS_CIPHER_SUITE) == 0) return;
  fprintf(stderr, "load: the server chose %s with %s, and this measures TLSv1.3 with %s only\n", SSL_get_version(ssl),
          cipher, TLS_CIPHER_SUITE);
  exit(1);
}

// Decrypts one record, or a part of it. Returns how much that was, and 0 where what is there is not a whole record.
static long tls_decrypt(struct tls *tls, char *data, long length) {
  int count = SSL_read(tls->ssl, data, (int)length);
  if (count > 0) return count;
  int error = SSL_get_error(tls->ssl, count);
  if (error == SSL_ERROR_ZERO_RETURN) refuse("the server closed a connection");
  if (error != SSL_ERROR_WANT_READ) tls_refuse("what the server sent is not its TLS");
  // An answer would go out on whichever connection is next. Nobody renews keys within what a run sends.
  if (cipher_out_to > 0) refuse("the server wants an answer besides its echo, new keys perhaps");
  return 0;
}

// On a socket that blocks: handshakes are no part of what is measured.
static void tls_connect(struct tls *tls, int fd) {
  if (tls->ssl != NULL) SSL_free(tls->ssl);
  char *kept = tls->kept;
  *tls = (struct tls){.ssl = SSL_new(tls_context), .kept = kept};
  BIO *bio = BIO_new(tls_buffers);
  if (tls->ssl == NULL || bio == NULL) tls_refuse("SSL_new");
  BIO_set_init(bio, 1);
  SSL_set_bio(tls->ssl, bio, bio);
  cipher_in_from = cipher_in_to = cipher_out_to = 0;
  for (;;) {
    int done = SSL_connect(tls->ssl);
    int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, done);
    send_all(fd, cipher_out, cipher_out_to);
    cipher_out_to = 0;
    if (done == 1) break;
    if (error != SSL_ERROR_WANT_READ) {
      tls_refuse("no handshake with TLSv1.3 and " TLS_CIPHER_SUITE ", which is all that this measures");
    }
    ssize_t count = recv(fd, cipher_in, CIPHER_IN_BYTES, 0);
    if (count < 0) fail("recv");
    if (count == 0) refuse("the server closed a connection in the handshake");
    cipher_in_from = 0;
    cipher_in_to = count;
  }
  require_cipher(tls->ssl);
  // A ticket that came with the server's last message is none of the next connection's.
  char nothing;
  while (cipher_in_from < cipher_in_to) {
    if (tls_decrypt(tls, &nothing, 1) > 0) refuse("the server sent more than it was sent");
  }
}

// Sends what is kept. Returns whether all of it has gone.
static int send_kept(struct tls *tls, int fd) {
  while (tls->kept_from < tls->kept_to) {
    ssize_t count = send(fd, tls->kept + tls->kept_from, tls->kept_to - tls->kept_from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EAGAIN) return 0;
      fail("send");
    }
    tls->kept_from += count;
  }
  return 1;
}

// Sends what is in `cipher_out`, or keeps it. Returns whether all of it has gone.
static int send_cipher_out(struct tls *tls, int fd) {
  ssize_t count = send(fd, cipher_out, cipher_out_to, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    if (errno != EAGAIN) fail("send");
    count = 0;
  }
  long rest = cipher_out_to - count;
  cipher_out_to = 0;
  if (rest == 0) return 1;
  if (tls->kept == NULL && (tls->kept = malloc(CIPHER_OUT_BYTES)) == NULL) fail("malloc");
  memcpy(tls->kept, cipher_out + count, rest);
  tls->kept_from = 0;
  tls->kept_to = rest;
  return 0;
}

// Encrypts as much as there is room for. Returns how much that was.
static long tls_encrypt(struct tls *tls, const char *data, long length) {
  long taken = 0;
  while (taken < length && CIPHER_OUT_BYTES - cipher_out_to >= RECORD_CIPHER_BYTES) {
    long part = length - taken < RECORD_BYTES ? length - taken : RECORD_BYTES;
    if (SSL_write(tls->ssl, data + taken, (int)part) != part) tls_refuse("SSL_write");
    taken += part;
  }
  return taken;
}

// Whether a record may be left that was received already.
static int tls_has_more(struct tls *tls) { return cipher_in_from < cipher_in_to || SSL_pending(tls->ssl) > 0; }

// Says that nothing more comes, if the socket takes it: a server that hears nothing of an end reports a broken connection.
static void tls_end(struct tls *tls, int fd) {
  if (SSL_shutdown(tls->ssl) >= 0) send_cipher_out(tls, fd);
  cipher_out_to = 0;
}

#endif
