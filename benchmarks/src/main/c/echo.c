// The least that echoes: epoll, edge-triggered, one recv and one send for what is there. What the load generator reaches
// against it is the ceiling of the comparison.
//
// usage: echo MODE, bytes or lines; there is no difference between them here. Ends when standard input does.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 1024
#define BACKLOG 4096

static char buffer[128 * 1024];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int poll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void accept_all(int poll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, 0);
    if (fd < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED) return;
      fail("accept");
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(poll, fd, EPOLLIN | EPOLLET);
  }
}

// Sending blocks where the peer does not read: good enough for a load generator, which always does.
static void echo(int fd) {
  ssize_t count;
  do {
    count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || send(fd, buffer, count, MSG_NOSIGNAL) != count) {
      close(fd);
      return;
    }
  } while (count == sizeof buffer);
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, BACKLOG) < 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  int poll = epoll_create1(0);
  watch(poll, listener, EPOLLIN);
  watch(poll, STDIN_FILENO, EPOLLIN);
  printf("%d C, epoll, one recv and one send, gcc %s\n", ntohs(address.sin_port), __VERSION__);
  fflush(stdout);

  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(poll, listener);
      } else if (fd != STDIN_FILENO) {
        echo(fd);
      } else if (read(STDIN_FILENO, buffer, sizeof buffer) <= 0) {
        return 0;
      }
    }
  }
}
