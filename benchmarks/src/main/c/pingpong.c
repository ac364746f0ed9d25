// Load for an echo server: each connection sends a message, waits for all of it to come back, and sends the next.
//
// One thread, epoll, one recv and one send per message: the leanest that does this with ordinary sockets, so that
// the server is what limits the rate. How busy both were is printed, so that this can be checked.
//
// usage: pingpong PORT CONNECTIONS BYTES WARMUP_SECONDS SECONDS SERVER_PID
// prints: MESSAGES_PER_SECOND SERVER_CPU_PERCENT CLIENT_CPU_PERCENT SERVER_CPU_MICROSECONDS_PER_MESSAGE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 65536
#define EVENTS 1024
#define STALL_MILLISECONDS 10000

static int bytes;
static char *message;
static char *answer;
static int received[CONNECTIONS_MAX];  // By descriptor: how much of the answer is there.

static void fail(const char *what) {
  fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void refuse(const char *what) {
  fprintf(stderr, "pingpong: %s\n", what);
  exit(1);
}

static double seconds_of(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

// The CPU time of the server, all of its threads, to the nanosecond; /proc/PID/stat has only hundredths of a second.
static double cpu_of(pid_t pid) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    refuse("there is no such server process");
  }
  return time.tv_sec + time.tv_nsec / 1e9;
}

static int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  if (fd >= CONNECTIONS_MAX) refuse("too many connections");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// The socket's buffer has room for a whole message: the one before has come back.
static void send_message(int fd) {
  if (send(fd, message, bytes, MSG_NOSIGNAL) != bytes) fail("send");
}

// Returns 1 when a whole answer is there.
static int receive(int fd) {
  ssize_t count = recv(fd, answer, bytes - received[fd], 0);
  if (count < 0) fail("recv");
  if (count == 0) refuse("the server closed a connection");
  if (memcmp(answer, message + received[fd], count) != 0) refuse("the server sent something else back");
  received[fd] += count;
  if (received[fd] < bytes) return 0;
  received[fd] = 0;
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 7) refuse("usage: pingpong PORT CONNECTIONS BYTES WARMUP_SECONDS SECONDS SERVER_PID");
  int port = atoi(argv[1]);
  int connections = atoi(argv[2]);
  bytes = atoi(argv[3]);
  double warmup = atof(argv[4]);
  double measured = atof(argv[5]);
  pid_t server = atoi(argv[6]);

  message = malloc(bytes);
  answer = malloc(bytes);
  for (int i = 0; i < bytes; i++) message[i] = (char)(i * 31 + i / 256);

  int poll = epoll_create1(0);
  if (poll < 0) fail("epoll_create1");
  for (int i = 0; i < connections; i++) {
    int fd = connect_to(port);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    send_message(fd);
  }

  struct epoll_event events[EVENTS];
  long messages = 0;
  int waiting = connections;
  double begin = now() + warmup;
  double end = begin + measured;
  double began = 0;
  double server_cpu = 0;
  double client_cpu = 0;
  int measuring = 0;
  int sending = 1;
  while (waiting > 0) {
    int ready = epoll_wait(poll, events, EVENTS, STALL_MILLISECONDS);
    if (ready < 0) fail("epoll_wait");
    if (ready == 0) refuse("the server does not answer");
    double time = now();
    if (!measuring && time >= begin) {
      measuring = 1;
      messages = 0;
      began = time;
      server_cpu = cpu_of(server);
      client_cpu = own_cpu();
    }
    if (sending && time >= end) {
      sending = 0;
      double elapsed = time - began;
      server_cpu = cpu_of(server) - server_cpu;
      client_cpu = own_cpu() - client_cpu;
      printf("%.0f %.0f %.0f %.3f\n", messages / elapsed, 100 * server_cpu / elapsed,
             100 * client_cpu / elapsed, 1e6 * server_cpu / (messages ? messages : 1));
    }
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (!receive(fd)) continue;
      messages++;
      if (sending) {
        send_message(fd);
      } else {
        waiting--;  // The answers under way are taken, so that no connection ends in a reset.
      }
    }
  }
  return 0;
}
