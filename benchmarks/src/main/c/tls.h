// TLS for the load generator: one version and one cipher suite, so that servers differ in nothing but themselves.
//
// OpenSSL does the handshake, with buffers and not the socket. The records after it (RFC 8446, 5.2) are made here, by
// OpenSSL's cipher: its own SSL_read and SSL_write cost as much as the rest of a message does, and the generator would be
// no lighter than the best server. So a message costs one recv and one send as it does without TLS, and what is not
// compared is not decrypted but counted by the lengths of its records.

#ifndef TLS_H
#define TLS_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#define TLS_CIPHER_SUITE "TLS_AES_128_GCM_SHA256"
#define SECRET_BYTES 32  // Of SHA-256.
#define KEY_BYTES 16
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define HEADER_BYTES 5
#define PLAIN_BYTES_MAX 16384
#define RECORD_BYTES_MAX (HEADER_BYTES + PLAIN_BYTES_MAX + 256)  // By the RFC; without padding there are 17 and not 256.
#define CIPHER_OUT_BYTES (8 * RECORD_BYTES_MAX)
#define CIPHER_IN_BYTES (128 * 1024)

enum content { ALERT = 21, HANDSHAKE = 22, DATA = 23 };

struct direction {
  EVP_CIPHER_CTX *cipher;
  unsigned char iv[NONCE_BYTES];
  uint64_t records;  // So far: the number of the next one.
};

struct tls {
  struct direction in, out;

  // By how much the records with data are longer than it, padding included (the JDK's engine pads each by 16 bytes). 0 until
  // data has come: before it there may be tickets, behind it is nothing else.
  long extra;

  unsigned char *part;  // The beginning of a record of which the rest is to come.
  long part_bytes;
  unsigned char *kept;  // What a full socket did not take; made once, where it is first needed.
  long kept_from, kept_to;
};

static SSL_CTX *tls_context;
static BIO_METHOD *tls_buffers;
// For all connections, one after another.
static unsigned char cipher_in[RECORD_BYTES_MAX + CIPHER_IN_BYTES], cipher_out[CIPHER_OUT_BYTES];
static long cipher_in_from, cipher_in_to, cipher_out_to;
static unsigned char client_secret[SECRET_BYTES], server_secret[SECRET_BYTES];  // Of the latest handshake.

static void tls_refuse(const char *what) {
  unsigned long error = ERR_get_error();
  fprintf(stderr, "load: %s: %s\n", what, error == 0 ? "no reason given" : ERR_reason_error_string(error));
  exit(1);
}

// --- The handshake

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
  if (length > CIPHER_OUT_BYTES - cipher_out_to) refuse("a handshake is longer than expected");
  memcpy(cipher_out + cipher_out_to, data, length);
  cipher_out_to += length;
  return length;
}

static long control_buffers(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

// Takes the secrets of the session from the lines that are meant for Wireshark: LABEL RANDOM SECRET.
static void take_secret(const SSL *ssl, const char *line) {
  (void)ssl;
  char label[64], secret[2 * SECRET_BYTES + 1];
  if (sscanf(line, "%63s %*s %64s", label, secret) != 2) return;
  unsigned char *into = strcmp(label, "CLIENT_TRAFFIC_SECRET_0") == 0   ? client_secret
                        : strcmp(label, "SERVER_TRAFFIC_SECRET_0") == 0 ? server_secret
                                                                        : NULL;
  for (int i = 0; into != NULL && i < SECRET_BYTES; i++) {
    if (sscanf(secret + 2 * i, "%2hhx", &into[i]) != 1) refuse("OpenSSL has no secret of the usual length");
  }
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
  SSL_CTX_set_keylog_callback(tls_context, take_secret);
}

static void send_blocking(int fd, const unsigned char *data, long length) {
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

// HKDF-Expand-Label of RFC 8446, 7.1, for no context and no more than one block.
static void expand(const unsigned char *secret, const char *label, unsigned char *into, int length) {
  unsigned char info[64], block[SECRET_BYTES];
  int label_length = snprintf((char *)info + 3, sizeof info - 5, "tls13 %s", label);
  info[0] = 0;
  info[1] = length;
  info[2] = label_length;
  info[3 + label_length] = 0;  // The length of the context.
  info[4 + label_length] = 1;  // The number of the block.
  if (HMAC(EVP_sha256(), secret, SECRET_BYTES, info, 5 + label_length, block, NULL) == NULL) tls_refuse("HMAC");
  memcpy(into, block, length);
}

static void start(struct direction *direction, const unsigned char *secret, int encrypting) {
  unsigned char key[KEY_BYTES];
  expand(secret, "key", key, KEY_BYTES);
  expand(secret, "iv", direction->iv, NONCE_BYTES);
  direction->records = 0;
  if (direction->cipher == NULL) direction->cipher = EVP_CIPHER_CTX_new();
  if (direction->cipher == NULL
      || !EVP_CipherInit_ex(direction->cipher, EVP_aes_128_gcm(), NULL, key, NULL, encrypting)) {
    tls_refuse("OpenSSL has no AES-128-GCM");
  }
}

// On a socket that blocks: handshakes are no part of what is measured.
static void tls_connect(struct tls *tls, int fd) {
  SSL *ssl = SSL_new(tls_context);
  BIO *bio = BIO_new(tls_buffers);
  if (ssl == NULL || bio == NULL) tls_refuse("SSL_new");
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  cipher_in_from = cipher_in_to = cipher_out_to = 0;
  for (;;) {
    int done = SSL_connect(ssl);
    int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, done);
    send_blocking(fd, cipher_out, cipher_out_to);
    cipher_out_to = 0;
    if (done == 1) break;
    if (error != SSL_ERROR_WANT_READ) {
      tls_refuse("no handshake with TLSv1.3 and " TLS_CIPHER_SUITE ", which is all that this measures");
    }
    ssize_t count = recv(fd, cipher_in, RECORD_BYTES_MAX, 0);
    if (count < 0) fail("recv");
    if (count == 0) refuse("the server closed a connection in the handshake");
    cipher_in_from = 0;
    cipher_in_to = count;
  }
  require_cipher(ssl);
  SSL_free(ssl);
  start(&tls->in, server_secret, 0);
  start(&tls->out, client_secret, 1);
  tls->extra = 0;
  tls->kept_from = tls->kept_to = 0;
  // Tickets may have come together with the end of the handshake. OpenSSL takes one record at a time.
  if (tls->part == NULL && (tls->part = malloc(RECORD_BYTES_MAX)) == NULL) fail("malloc");
  tls->part_bytes = cipher_in_to - cipher_in_from;
  memcpy(tls->part, cipher_in + cipher_in_from, tls->part_bytes);
}

// --- Records

// Begins a record: its nonce is made of its number.
static void begin_record(struct direction *direction, const unsigned char *header) {
  unsigned char nonce[NONCE_BYTES];
  int none;
  memcpy(nonce, direction->iv, NONCE_BYTES);
  for (int i = 0; i < 8; i++) nonce[NONCE_BYTES - 1 - i] ^= direction->records >> 8 * i;
  direction->records++;
  if (!EVP_CipherInit_ex(direction->cipher, NULL, NULL, NULL, nonce, -1)
      || !EVP_CipherUpdate(direction->cipher, NULL, &none, header, HEADER_BYTES)) {
    tls_refuse("AES-128-GCM");
  }
}

// Adds a record to `cipher_out`, which has room for it.
static void encrypt_record(struct tls *tls, enum content content, const void *data, long length) {
  unsigned char *record = cipher_out + cipher_out_to, *body = record + HEADER_BYTES;
  unsigned char type = content;
  long body_bytes = length + 1 + TAG_BYTES;
  int first, last;
  record[0] = DATA;  // What it really is, is encrypted.
  record[1] = record[2] = 3;
  record[3] = body_bytes >> 8;
  record[4] = body_bytes;
  begin_record(&tls->out, record);
  EVP_CIPHER_CTX *cipher = tls->out.cipher;
  if (!EVP_CipherUpdate(cipher, body, &first, data, (int)length)
      || !EVP_CipherUpdate(cipher, body + first, &last, &type, 1) || !EVP_CipherFinal_ex(cipher, body + first + last, &last)
      || !EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + length + 1)) {
    tls_refuse("AES-128-GCM");
  }
  cipher_out_to += HEADER_BYTES + body_bytes;
}

// Encrypts as much as there is room for. Returns how much that was.
static long tls_encrypt(struct tls *tls, const char *data, long length) {
  long taken = 0;
  while (taken < length && CIPHER_OUT_BYTES - cipher_out_to >= RECORD_BYTES_MAX) {
    long part = length - taken < PLAIN_BYTES_MAX ? length - taken : PLAIN_BYTES_MAX;
    encrypt_record(tls, DATA, data + taken, part);
    taken += part;
  }
  return taken;
}

// Returns the length of what the record has in it, and what it is.
static long decrypt_record(struct tls *tls, unsigned char *record, long body_bytes, unsigned char *into,
                           enum content *content) {
  unsigned char *body = record + HEADER_BYTES;
  long length = body_bytes - TAG_BYTES;
  int count, none;
  begin_record(&tls->in, record);
  if (!EVP_CipherUpdate(tls->in.cipher, into, &count, body, (int)length)
      || !EVP_CIPHER_CTX_ctrl(tls->in.cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, body + length)
      || !EVP_CipherFinal_ex(tls->in.cipher, into + count, &none)) {
    refuse("the server sent a record that cannot be decrypted");
  }
  while (length > 0 && into[length - 1] == 0) length--;  // Padding.
  if (length == 0) refuse("the server sent a record of nothing");
  *content = into[length - 1];
  return length - 1;
}

// Takes the next record that is in `cipher_in`. Returns how many bytes of data it has, and -1 where there is no whole record.
// Without decrypting, they are only counted: that takes a server which pads all records alike. The first is always decrypted.
static long tls_take_record(struct tls *tls, unsigned char *into, int decrypting, int *decrypted) {
  unsigned char *record = cipher_in + cipher_in_from;
  long there = cipher_in_to - cipher_in_from;
  if (there < HEADER_BYTES) return -1;
  long body_bytes = record[3] << 8 | record[4];
  if (record[0] != DATA || body_bytes <= TAG_BYTES || body_bytes > RECORD_BYTES_MAX - HEADER_BYTES) {
    refuse("the server sent what is no record of TLS 1.3");
  }
  if (there < HEADER_BYTES + body_bytes) return -1;
  cipher_in_from += HEADER_BYTES + body_bytes;
  *decrypted = decrypting || tls->extra == 0;
  if (!*decrypted) {
    tls->in.records++;
    if (body_bytes < tls->extra) refuse("the server sent something besides its echo");
    return body_bytes - tls->extra;
  }
  enum content content;
  long length = decrypt_record(tls, record, body_bytes, into, &content);
  if (content == DATA) {
    if (tls->extra == 0) tls->extra = body_bytes - length;
    if (tls->extra != body_bytes - length) refuse("the server pads one record more than another");
    return length;
  }
  if (content == ALERT) refuse("the server closed a connection");
  if (content != HANDSHAKE || tls->extra > 0 || into[0] != SSL3_MT_NEWSESSION_TICKET) {
    refuse("the server sent something besides its echo, new keys perhaps");
  }
  *decrypted = 0;
  return 0;
}

// --- The socket

// Receives once into `cipher_in`, behind what was no whole record before. Returns what recv does.
static ssize_t tls_receive(struct tls *tls, int fd, int flags) {
  ssize_t count = recv(fd, cipher_in + tls->part_bytes, CIPHER_IN_BYTES, flags);
  if (count <= 0) return count;
  memcpy(cipher_in, tls->part, tls->part_bytes);
  cipher_in_from = 0;
  cipher_in_to = tls->part_bytes + count;
  return count;
}

static void tls_keep_part(struct tls *tls) {
  tls->part_bytes = cipher_in_to - cipher_in_from;
  memcpy(tls->part, cipher_in + cipher_in_from, tls->part_bytes);
}

// Sends what was kept. Returns whether all of it has gone.
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

// Says that nothing more comes, unless half a record is under way: a server that hears nothing of an end reports a broken
// connection. Whether it takes it does not matter any more.
static void tls_end(struct tls *tls, int fd) {
  static const unsigned char close_notify[] = {1, 0};
  if (tls->kept_from < tls->kept_to) return;
  encrypt_record(tls, ALERT, close_notify, sizeof close_notify);
  send(fd, cipher_out, cipher_out_to, MSG_DONTWAIT | MSG_NOSIGNAL);
  cipher_out_to = 0;
}

#endif
