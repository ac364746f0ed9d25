// Load for an echo server: one thread, epoll, edge-triggered, and no more system calls per message than one recv and one
// send, so that the server is what limits the rate. How busy both were is printed, so that this can be checked.
//
// usage: load WHAT KEY=VALUE...
//   closed    each connection keeps `depth` messages under way and sends the next when one has come back
//   rate      messages are sent at a fixed rate whether or not others have come back; latency counts from the time at
//             which a message was due, so a server (or generator) that stalls does not hide what waited meanwhile
//   connects  connect, one message there and back, close: `connections` at a time
//   idle      opens `connections`, one message each, prints its line, and keeps them until standard input ends
//   percentiles  reads numbers from standard input: the histogram, for its test
// keys: port pid connections bytes depth warmup seconds rate messages tls
//   `messages` instead of `seconds` ends a closed loop after so many, from the first one on
//   tls=1     TLS 1.3, if compiled with -DWITH_TLS; what is measured begins after the handshakes
// prints: one line of KEY=VALUE. A wrong or missing echo ends the run with status 1.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

#define EVENTS 1024
#define STALL_MILLISECONDS 10000
#define RECEIVE_BYTES (256 * 1024)
#define CHECK_EVERY 8  // One receive in so many is compared with what was sent; all bytes are counted.
#define SMALL_BYTES 4096
#define SMALL_MESSAGES 4
#define OPENING_MAX 64
#define SOURCES 64  // Addresses to connect from: a closed connection keeps its port for a minute.

static int port, connections = 1, depth = 1, with_tls;
static long bytes = 1024, budget;
static double warmup, seconds = 1, rate;
static pid_t server;

struct tls;

struct connection {
  int fd;
  long due;         // Bytes that are to be sent, from the beginning.
  long sent;        // Bytes that the kernel has taken, or with TLS, that are encrypted.
  long received;    // Bytes that have come back.
  struct tls *tls;  // Null without.
};

static struct connection *all;
static char *pattern;  // Different messages one after another, twice, so that a slice never wraps.
static long pattern_bytes;
static char receive_buffer[RECEIVE_BYTES];
static int poll_fd;
static long receives;
static int drained;  // Whether the last receive took all there was. When there is more, it is an event.

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void refuse(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(1);
}

#ifdef WITH_TLS
#include "tls.h"
#endif

// --- Time and the use of processors

static int64_t now_nanos(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static double clock_seconds(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) refuse("there is no such server process");
  return time.tv_sec + time.tv_nsec / 1e9;
}

// All threads of the server, to the nanosecond.
static double server_cpu_seconds(void) {
  clockid_t clock;
  if (clock_getcpuclockid(server, &clock) != 0) refuse("there is no such server process");
  return clock_seconds(clock);
}

// The part of it outside the kernel.
static double server_user_seconds(void) {
  char name[64], line[1024] = "";
  snprintf(name, sizeof name, "/proc/%d/stat", server);
  FILE *file = fopen(name, "r");
  if (file == NULL) refuse("there is no such server process");
  size_t length = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  line[length] = 0;
  unsigned long user = 0;
  char *behind_name = strrchr(line, ')');
  if (behind_name == NULL
      || sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu", &user) != 1) {
    refuse("/proc/PID/stat is not as expected");
  }
  return user / (double)sysconf(_SC_CLK_TCK);
}

// The first processor that the process may use: the only one, where it is pinned.
static int core_of(pid_t pid) {
  cpu_set_t set;
  if (sched_getaffinity(pid, sizeof set, &set) != 0) return -1;
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (CPU_ISSET(core, &set)) return core;
  }
  return -1;
}

// How long the processor did anything for anybody, or was taken away by the hypervisor.
static double busy_seconds(int core) {
  char line[512], name[32];
  int length = snprintf(name, sizeof name, "cpu%d ", core);
  double busy = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    unsigned long user, nice, system, idle, wait, irq, soft, steal;
    if (strncmp(line, name, length) == 0
        && sscanf(line + length, "%lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &irq, &soft,
                  &steal) == 8) {
      busy = (user + nice + system + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK);
    }
  }
  fclose(file);
  return busy;
}

struct usage {
  double time, server, user, own, server_core, own_core;
};

static struct usage usage_now(void) {
  return (struct usage){
      .time = now_nanos() / 1e9,
      .server = server_cpu_seconds(),
      .user = server_user_seconds(),
      .own = clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
      .server_core = busy_seconds(core_of(server)),
      .own_core = busy_seconds(core_of(0)),
  };
}

static double percent_of(double part, double whole) { return part <= 0 ? 0 : 100 * part / whole; }

// Everything but what is particular to a mode. Others: whoever else used the processors of the two.
static void print_usage(struct usage from, struct usage to, long messages) {
  double elapsed = to.time - from.time, server_cpu = to.server - from.server, own = to.own - from.own;
  printf("messages=%ld seconds=%.4f per_second=%.1f server_cpu=%.1f client_cpu=%.1f server_us=%.4f server_user_us=%.4f"
         " server_core_others=%.1f client_core_others=%.1f errors=0",
         messages, elapsed, messages / elapsed, 100 * server_cpu / elapsed, 100 * own / elapsed,
         messages > 0 ? 1e6 * server_cpu / messages : 0, messages > 0 ? 1e6 * (to.user - from.user) / messages : 0,
         percent_of(to.server_core - from.server_core - server_cpu, elapsed),
         percent_of(to.own_core - from.own_core - own, elapsed));
}

// --- Connections

// Letters and digits, and a line's end at the end of each message: any mode of a server will do with them.
static void make_pattern(void) {
  int messages = bytes > SMALL_BYTES ? 1 : SMALL_MESSAGES;
  if (messages < depth) messages = depth;
  pattern_bytes = messages * bytes;
  pattern = malloc(2 * pattern_bytes);
  if (pattern == NULL) fail("malloc");
  uint32_t random = 1;
  for (long i = 0; i < pattern_bytes; i++) {
    random = random * 1664525 + 1013904223;
    pattern[i] = (i + 1) % bytes == 0 ? '\n' : "abcdefghijklmnopqrstuvwxyz012345"[random >> 27];
  }
  memcpy(pattern + pattern_bytes, pattern, pattern_bytes);
}

static struct tls *secure(struct tls *tls, int fd) {
#ifdef WITH_TLS
  if (tls == NULL && (tls = calloc(1, sizeof *tls)) == NULL) fail("calloc");
  tls_connect(tls, fd);
#endif
  (void)fd;
  return tls;
}

static void open_connection(struct connection *connection) {
  static unsigned opened;
  static const int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + opened++ % SOURCES);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) fail("bind");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  // Each begins elsewhere in the pattern: the bytes of another connection would not do.
  long start = (connection - all) % (pattern_bytes / bytes) * bytes;
  struct tls *tls = with_tls ? secure(connection->tls, fd) : NULL;
  *connection = (struct connection){.fd = fd, .due = start, .sent = start, .received = start, .tls = tls};
}

static void end_connection(struct connection *connection) {
#ifdef WITH_TLS
  if (with_tls) tls_end(connection->tls, connection->fd);
#endif
  close(connection->fd);
}

static void end_all(void) {
  for (int i = 0; i < connections; i++) end_connection(&all[i]);
}

static void watch(struct connection *connection) {
  static const int on = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0) fail("epoll_ctl");
}

static void open_all(void) {
  for (int i = 0; i < connections; i++) {
    open_connection(&all[i]);
    watch(&all[i]);
  }
}

// Where in the pattern the next bytes are that are to be sent, and how many of them are there in one piece.
static char *next_due(struct connection *connection, long *length) {
  long at = connection->sent % pattern_bytes;
  *length = connection->due - connection->sent;
  if (*length > 2 * pattern_bytes - at) *length = 2 * pattern_bytes - at;
  return pattern + at;
}

#ifdef WITH_TLS
static void send_due_encrypted(struct connection *connection) {
  if (!send_kept(connection->tls, connection->fd)) return;
  while (connection->sent < connection->due) {
    long length;
    char *data = next_due(connection, &length);
    connection->sent += tls_encrypt(connection->tls, data, length);
    if (!send_cipher_out(connection->tls, connection->fd)) return;
  }
}
#endif

static void send_due(struct connection *connection) {
#ifdef WITH_TLS
  if (with_tls) {
    send_due_encrypted(connection);
    return;
  }
#endif
  while (connection->sent < connection->due) {
    long length;
    char *data = next_due(connection, &length);
    ssize_t count = send(connection->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EAGAIN) return;
      fail("send");
    }
    connection->sent += count;
  }
}

static void check(struct connection *connection, ssize_t count) {
  long at = connection->received % pattern_bytes;
  long length = count < pattern_bytes ? count : pattern_bytes;
  if (memcmp(receive_buffer, pattern + at, length) != 0) refuse("the server sent something else back");
}

#ifdef WITH_TLS
// As receive_once. All that was received is taken, be it owed or not: nothing of it may stay for other connections.
static ssize_t receive_encrypted(struct connection *connection, long owed, int flags) {
  struct tls *tls = connection->tls;
  ssize_t count = tls_receive(tls, connection->fd, flags);
  drained = count < CIPHER_IN_BYTES;
  if (count < 0) {
    if (errno == EAGAIN) return 0;
    fail("recv");
  }
  if (count == 0) refuse("the server closed a connection");
  long complete = 0, length;
  int decrypted;
  while ((length = tls_take_record(tls, (unsigned char *)receive_buffer, receives++ % CHECK_EVERY == 0, &decrypted)) >= 0) {
    complete += length;
    if (complete > owed) refuse("the server sent more than it was sent");
    if (decrypted) check(connection, length);
    connection->received += length;
  }
  tls_keep_part(tls);
  return complete;
}
#endif

// Takes once what has come back, and returns how many bytes: 0 where there are none and the flags say not to wait.
static ssize_t receive_once(struct connection *connection, long owed, int flags) {
#ifdef WITH_TLS
  if (with_tls) return receive_encrypted(connection, owed, flags);
#endif
  // What is not compared is not copied either: TCP drops it. That makes the generator lighter for large messages.
  int checking = receives++ % CHECK_EVERY == 0;
  ssize_t wanted = owed < RECEIVE_BYTES ? owed : RECEIVE_BYTES;
  ssize_t count = recv(connection->fd, receive_buffer, wanted, checking ? flags : flags | MSG_TRUNC);
  drained = count < wanted;
  if (count < 0) {
    if (errno == EAGAIN) return 0;
    fail("recv");
  }
  if (count == 0) refuse("the server closed a connection");
  if (checking) check(connection, count);
  connection->received += count;
  return count;
}

// Takes what has come back. Returns how many messages are complete with it.
static long receive_some(struct connection *connection) {
  long complete = connection->received / bytes;
  long owed = connection->sent - connection->received;
  if (owed == 0) {
    if (with_tls) return receive_once(connection, 0, MSG_DONTWAIT);  // A ticket for another session is usual.
    ssize_t count = recv(connection->fd, receive_buffer, 1, MSG_DONTWAIT);
    if (count > 0) refuse("the server sent more than it was sent");
    if (count == 0) refuse("the server closed a connection");
    return 0;
  }
  while (owed > 0) {
    owed -= receive_once(connection, owed, MSG_DONTWAIT);
    if (drained) break;
  }
  return connection->received / bytes - complete;
}

// Waits for all that is owed.
static void receive_all(struct connection *connection) {
  while (connection->received < connection->due) {
    receive_once(connection, connection->due - connection->received, 0);
  }
}

// Returns how many events there are; the first time that nothing comes for long is the last.
static int wait_events(struct epoll_event *events) {
  int ready = epoll_wait(poll_fd, events, EVENTS, STALL_MILLISECONDS);
  if (ready < 0) fail("epoll_wait");
  if (ready == 0) refuse("the server does not answer");
  return ready;
}

// --- The modes

static void run_closed(void) {
  struct epoll_event events[EVENTS];
  int by_count = budget > 0;
  long left = by_count ? budget : LONG_MAX;
  long waiting = 0, messages = 0;
  open_all();
  int64_t begin = now_nanos() + (int64_t)(warmup * 1e9);
  int64_t end = begin + (int64_t)(seconds * 1e9);
  int measuring = by_count, sending = 1;
  struct usage from = usage_now(), to = from;
  for (int i = 0; i < connections; i++) {
    long first = depth < left ? depth : left;
    all[i].due += first * bytes;
    left -= first;
    waiting += first;
    send_due(&all[i]);
  }
  while (waiting > 0) {
    int ready = wait_events(events);
    int64_t time = now_nanos();
    if (!measuring && time >= begin) {
      measuring = 1;
      messages = 0;
      from = usage_now();
    }
    if (!by_count && sending && time >= end) {
      sending = 0;  // The answers under way are taken, so that no connection ends in a reset.
      to = usage_now();
      print_usage(from, to, messages);
    }
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (events[i].events & ~EPOLLOUT) {
        long complete = receive_some(connection);
        messages += complete;
        waiting -= complete;
        if (sending && complete > 0) {
          long next = complete < left ? complete : left;
          connection->due += next * bytes;
          left -= next;
          waiting += next;
        }
      }
      send_due(connection);
    }
  }
  if (by_count) print_usage(from, usage_now(), messages);
  printf("\n");
  end_all();
}

static void run_rate(void) {
  static struct histogram latency, lateness;
  struct epoll_event events[EVENTS];
  if (rate <= 0) refuse("rate is missing: rate=MESSAGES_PER_SECOND");
  open_all();
  double interval = 1e9 / rate;
  long first = (long)(rate * warmup), total = first + (long)(rate * seconds);
  long due = 0, answered = 0;
  int measuring = 0, measured = 0;
  int64_t start = now_nanos() + 1000000;
  int64_t give_up = start + (int64_t)((warmup + 2 * seconds + 2) * 1e9);
  struct usage from = usage_now(), to = from;
  while (answered < total) {
    int64_t time = now_nanos();
    if (time > give_up) break;
    if (!measuring && due >= first) {
      measuring = 1;
      from = usage_now();
    }
    if (!measured && due >= total) {
      measured = 1;
      to = usage_now();
    }
    // Never more than one for each connection before the answers are looked at.
    for (int i = 0; i < connections && due < total; i++) {
      int64_t intended = start + (int64_t)(due * interval);
      if (intended > time) break;
      struct connection *connection = &all[due % connections];
      connection->due += bytes;
      send_due(connection);
      if (due >= first) record(&lateness, time - intended);
      due++;
    }
    // Without waiting: the generator has its processor to itself, and a sleep would make it late.
    int ready = epoll_wait(poll_fd, events, EVENTS, 0);
    if (ready < 0) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      long index = connection - all;
      if (events[i].events & ~EPOLLOUT) {
        long begun = (index % (pattern_bytes / bytes));  // Where it began in the pattern does not count.
        long before = connection->received / bytes - begun;
        long complete = receive_some(connection);
        int64_t arrived = now_nanos();
        for (long k = before; k < before + complete; k++) {
          long message = k * connections + index;
          if (message >= first) record(&latency, arrived - start - (int64_t)(message * interval));
        }
        answered += complete;
      }
      send_due(connection);
    }
  }
  if (!measured) to = usage_now();
  // What was not answered took at least as long as it was waited for.
  int64_t given_up = now_nanos();
  for (long k = first; k < due; k++) {
    struct connection *connection = &all[k % connections];
    long begun = (k % connections) % (pattern_bytes / bytes);
    if (k / connections >= connection->received / bytes - begun)
      record(&latency, given_up - start - (int64_t)(k * interval));
  }
  print_usage(from, to, due - first);
  printf(" p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f late_p99_us=%.1f late_max_us=%.1f unanswered=%ld\n",
         percentile(&latency, 50) / 1e3, percentile(&latency, 90) / 1e3, percentile(&latency, 99) / 1e3,
         percentile(&latency, 99.9) / 1e3, latency.max / 1e3, percentile(&lateness, 99) / 1e3, lateness.max / 1e3,
         due - answered);
  end_all();
}

static void open_and_send(struct connection *connection) {
  open_connection(connection);
  watch(connection);
  connection->due += bytes;
  send_due(connection);
}

static void on_alarm(int signal) {
  (void)signal;
  static const char text[] = "load: the server does not answer\n";
  _exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

// Takes the connections in the order in which they were opened, which is about the order in which the server answers them.
// So a receive that waits does for what epoll does elsewhere: here a connection has one event only, and that it costs the
// generator less leaves the server as the one that is measured.
static void run_connects(void) {
  long over = 0;
  int64_t begin = now_nanos() + (int64_t)(warmup * 1e9);
  int64_t end = begin + (int64_t)(seconds * 1e9);
  int measuring = 0;
  struct usage from = usage_now();
  signal(SIGALRM, on_alarm);
  alarm((unsigned)(warmup + seconds) + STALL_MILLISECONDS / 1000);
  for (int i = 0; i < connections; i++) {
    open_connection(&all[i]);
    all[i].due += bytes;
    send_due(&all[i]);
  }
  for (int i = 0;; i = (i + 1) % connections) {
    int64_t time = now_nanos();
    if (!measuring && time >= begin) {
      measuring = 1;
      over = 0;
      from = usage_now();
    }
    if (time >= end) break;
    struct connection *connection = &all[i];
    receive_all(connection);
    end_connection(connection);
    over++;
    open_connection(connection);
    connection->due += bytes;
    send_due(connection);
  }
  print_usage(from, usage_now(), over);
  for (int i = 0; i < connections; i++) {
    receive_all(&all[i]);
    end_connection(&all[i]);
  }
  printf("\n");
}

static void run_idle(void) {
  struct epoll_event events[EVENTS];
  int opened = 0, answered = 0;
  while (answered < connections) {
    while (opened < connections && opened - answered < OPENING_MAX) open_and_send(&all[opened++]);
    int ready = wait_events(events);
    for (int i = 0; i < ready; i++) {
      if (events[i].events & ~EPOLLOUT) answered += receive_some(events[i].data.ptr);
    }
  }
  printf("connections=%d errors=0\n", connections);
  fflush(stdout);
  while (read(STDIN_FILENO, receive_buffer, 1) > 0) {
    // Its end is the signal.
  }
}

static void run_percentiles(void) {
  static struct histogram histogram;
  long value;
  while (scanf("%ld", &value) == 1) record(&histogram, value);
  printf("count=%lu p50=%.1f p90=%.1f p99=%.1f p999=%.1f max=%lu\n", (unsigned long)histogram.count,
         percentile(&histogram, 50), percentile(&histogram, 90), percentile(&histogram, 99),
         percentile(&histogram, 99.9), (unsigned long)histogram.max);
}

static void read_option(const char *argument) {
  char key[32], value[32];
  if (sscanf(argument, "%31[a-z]=%31s", key, value) != 2) refuse("write KEY=VALUE");
  double number = atof(value);
  if (strcmp(key, "port") == 0) {
    port = number;
  } else if (strcmp(key, "pid") == 0) {
    server = number;
  } else if (strcmp(key, "connections") == 0) {
    connections = number;
  } else if (strcmp(key, "bytes") == 0) {
    bytes = number;
  } else if (strcmp(key, "depth") == 0) {
    depth = number;
  } else if (strcmp(key, "warmup") == 0) {
    warmup = number;
  } else if (strcmp(key, "seconds") == 0) {
    seconds = number;
  } else if (strcmp(key, "rate") == 0) {
    rate = number;
  } else if (strcmp(key, "messages") == 0) {
    budget = number;
  } else if (strcmp(key, "tls") == 0) {
    with_tls = number != 0;
  } else {
    refuse("an unknown key: the head of load.c lists them");
  }
}

int main(int argc, char **argv) {
  if (argc < 2) refuse("usage: load closed|rate|connects|idle|percentiles KEY=VALUE...");
  for (int i = 2; i < argc; i++) read_option(argv[i]);
  if (strcmp(argv[1], "percentiles") == 0) {
    run_percentiles();
    return 0;
  }
  if (port <= 0 || connections <= 0 || bytes <= 0 || depth <= 0) refuse("port, connections, bytes, depth must be above 0");
  if (server == 0) server = getpid();
  if (with_tls) {
#ifdef WITH_TLS
    tls_prepare();
#else
    refuse("this was compiled without TLS: compile it with -DWITH_TLS, -lssl and -lcrypto");
#endif
  }
  make_pattern();
  all = calloc(connections, sizeof *all);
  poll_fd = epoll_create1(0);
  if (all == NULL || poll_fd < 0) fail("epoll_create1");
  if (strcmp(argv[1], "closed") == 0) {
    run_closed();
  } else if (strcmp(argv[1], "rate") == 0) {
    run_rate();
  } else if (strcmp(argv[1], "connects") == 0) {
    run_connects();
  } else if (strcmp(argv[1], "idle") == 0) {
    run_idle();
  } else {
    refuse("the first argument is one of closed, rate, connects, idle, percentiles");
  }
  return 0;
}
