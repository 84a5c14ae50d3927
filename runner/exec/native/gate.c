/*
 * The resident part's side of the socket: a small process that a runner starts, because Node can neither ask who is at the other end of
 * a socket nor answer a thousand clients cheaply. It lets in whoever has the runner's own uid and passes lines on:
 *
 *   to the runner    ready HOW | failed REASON | CONNECTION PID LINE | CONNECTION PID gone GROUP
 *   from the runner  CONNECTION LINE | CONNECTION drop
 *
 * HOW is `again` when a former gate left its lock: then launches of its runner may still be there, else it is `fresh`.
 * `gone` comes when a client went away without saying `end`. Usage: headrace-gate SOCKET; the end of its input is its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* No client says more in one line. */
#define LONGEST_LINE 4096
/* A client that does not read for so long is no client of ours. */
#define MOST_UNREAD (16u << 20)
/* Ends wait at most so long for company while nobody waits for what they free: each wake-up costs the runner more than the line does. */
#define GATHER_MS 5
/* How soon a socket that somebody removed is there again. */
#define LOOK_MS 1000
#define BACKLOG 4096
#define MOST_EVENTS 64
/* In a connection's number, above the index: a number is never used twice. */
#define SERIAL_SHIFT 20
/* Of the descriptors in epoll, beside connections. */
enum { RUNNER = -1, DOOR = -2 };

struct text {
  char *data;
  size_t used, room;
};

struct connection {
  int fd; /* -1: free */
  uint64_t number;
  pid_t pid, group;
  bool waits; /* has asked and has no answer */
  bool ended; /* has said its last */
  struct text in, out; /* a line that is not whole; what it has not read */
};

static const char *path;
static int events_fd, door = -1, lock = -1;
static struct stat bound;
static bool lock_was_there;
static struct connection **connections;
static size_t connection_room;
static uint64_t serial;
static unsigned waiting;
static struct text to_runner;
static double gather_until_ms; /* 0: nothing waits */
static bool closing; /* what clients have said already is still passed on */

/* ---- texts ---- */

static void add(struct text *text, const char *data, size_t length)
{
  if (text->used + length > text->room) {
    size_t room = text->room ? text->room : 256;
    while (room < text->used + length)
      room *= 2;
    text->data = realloc(text->data, room);
    if (!text->data)
      exit(1);
    text->room = room;
  }
  memcpy(text->data + text->used, data, length);
  text->used += length;
}

static void drop_front(struct text *text, size_t length)
{
  text->used -= length;
  if (length > 0 && text->used > 0)
    memmove(text->data, text->data + length, text->used);
}

static double now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the runner ---- */

static void flush_to_runner(void)
{
  gather_until_ms = 0;
  for (size_t at = 0; at < to_runner.used;) {
    ssize_t written = write(STDOUT_FILENO, to_runner.data + at, to_runner.used - at);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      exit(0); /* the runner is gone */
    at += (size_t)written;
  }
  to_runner.used = 0;
}

static void tell(const struct connection *connection, const char *line, size_t length)
{
  char head[64];
  int head_length = snprintf(head, sizeof head, "%llu %d ", (unsigned long long)connection->number, connection->pid);
  add(&to_runner, head, (size_t)head_length);
  add(&to_runner, line, length);
  add(&to_runner, "\n", 1);
}

/* ---- connections ---- */

static void watch(int operation, int fd, uint32_t interest, int64_t who)
{
  struct epoll_event event = {.events = interest, .data.u64 = (uint64_t)who};
  epoll_ctl(events_fd, operation, fd, &event);
}

static struct connection *add_connection(int fd)
{
  size_t index = 0;
  while (index < connection_room && connections[index]->fd >= 0)
    index++;
  if (index == connection_room) {
    connections = realloc(connections, (connection_room + 1) * sizeof *connections);
    struct connection *made = connections ? calloc(1, sizeof *made) : NULL;
    if (!made)
      exit(1);
    connections[connection_room++] = made;
  }
  struct connection *connection = connections[index];
  *connection = (struct connection){.fd = fd, .number = (++serial << SERIAL_SHIFT) | index};
  return connection;
}

static struct connection *find_connection(uint64_t number)
{
  size_t index = number & ((1u << SERIAL_SHIFT) - 1);
  if (index >= connection_room || connections[index]->fd < 0 || connections[index]->number != number)
    return NULL;
  return connections[index];
}

static void set_waiting(struct connection *connection, bool waits)
{
  waiting += waits - connection->waits;
  connection->waits = waits;
}

static void forget(struct connection *connection)
{
  set_waiting(connection, false);
  close(connection->fd);
  free(connection->in.data);
  free(connection->out.data);
  connection->in = connection->out = (struct text){0};
  connection->fd = -1;
}

static void let_go(struct connection *connection)
{
  if (!connection->ended) {
    char line[32];
    tell(connection, line, (size_t)snprintf(line, sizeof line, "gone %d", connection->group));
  }
  forget(connection);
}

/* Sends what the client has not read; false when it is gone. */
static bool send_rest(struct connection *connection)
{
  while (connection->out.used > 0) {
    ssize_t sent = send(connection->fd, connection->out.data, connection->out.used, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      watch(EPOLL_CTL_MOD, connection->fd, EPOLLIN | EPOLLOUT, (int64_t)connection->number);
      return connection->out.used <= MOST_UNREAD;
    }
    if (sent < 0)
      return false;
    drop_front(&connection->out, (size_t)sent);
  }
  return true;
}

static bool starts_with(const char *line, size_t length, const char *word)
{
  size_t word_length = strlen(word);
  return length >= word_length && memcmp(line, word, word_length) == 0;
}

/* What one client says. A start is kept here, for the day when its client dies; all else is the runner's. */
static void take_line(struct connection *connection, char *line, size_t length)
{
  if (starts_with(line, length, "started ")) {
    line[length] = '\0';
    connection->group = (pid_t)atol(line + strlen("started "));
    return;
  }
  if (starts_with(line, length, "ask "))
    set_waiting(connection, true);
  tell(connection, line, length);
  connection->ended = connection->ended || starts_with(line, length, "end ");
  bool can_wait = connection->ended && waiting == 0;
  if (!can_wait)
    gather_until_ms = 1; /* at once */
  else if (gather_until_ms == 0)
    gather_until_ms = now_ms() + GATHER_MS;
}

/* Takes whole lines; false when there is one that no client of ours sends. */
static bool take_lines(struct connection *connection)
{
  struct text *in = &connection->in;
  size_t at = 0;
  for (char *end; at < in->used && (end = memchr(in->data + at, '\n', in->used - at));) {
    size_t length = (size_t)(end - in->data) - at;
    if (length > LONGEST_LINE || memchr(in->data + at, '\0', length) || memchr(in->data + at, '\r', length))
      return false;
    take_line(connection, in->data + at, length);
    at += length + 1;
  }
  drop_front(in, at);
  return in->used <= LONGEST_LINE;
}

static void read_client(struct connection *connection)
{
  char data[LONGEST_LINE];
  ssize_t length = recv(connection->fd, data, sizeof data, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (length > 0) {
    add(&connection->in, data, (size_t)length);
    if (take_lines(connection))
      return;
  }
  bool ended = connection->ended;
  let_go(connection);
  if (!ended)
    gather_until_ms = 1;
}

/* ---- the door ---- */

static void let_in(void)
{
  for (;;) {
    int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
      return;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) {
      static const char refusal[] = "refuse 125 Cannot launch as this runner belongs to another user\n";
      /* Whoever it is, it need not hear it. */
      if (send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        errno = 0;
      close(fd);
      continue;
    }
    struct connection *connection = add_connection(fd);
    connection->pid = peer.pid;
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, (int64_t)connection->number);
    /* It has mostly said something already. */
    read_client(connection);
  }
}

/* The directory that holds the socket; only its owner may enter one that we make. */
static const char *open_directory(void)
{
  char *directory = strdupa(path);
  char *slash = strrchr(directory, '/');
  if (!slash || slash == directory)
    return NULL;
  *slash = '\0';
  if (mkdir(directory, 0700) != 0 && errno != EEXIST)
    return strerror(errno);
  return NULL;
}

/* Binds the socket; returns why that cannot be, or NULL. */
static const char *open_door(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char lock_path[sizeof address.sun_path + 8];
  if (strlen(path) >= sizeof address.sun_path)
    return "its path is too long";
  strcpy(address.sun_path, path);
  snprintf(lock_path, sizeof lock_path, "%s.lock", path);
  const char *trouble = open_directory();
  if (trouble)
    return trouble;
  lock_was_there = access(lock_path, F_OK) == 0;
  int new_lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (new_lock < 0)
    return strerror(errno);
  if (flock(new_lock, LOCK_EX | LOCK_NB) != 0) {
    close(new_lock);
    return "another runner answers there";
  }
  int new_door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(path);
  mode_t usual = umask(0177);
  bool is_bound = new_door >= 0 && bind(new_door, (struct sockaddr *)&address, sizeof address) == 0;
  umask(usual);
  if (!is_bound || listen(new_door, BACKLOG) != 0 || stat(path, &bound) != 0) {
    trouble = strerror(errno);
    close(new_door);
    close(new_lock);
    return trouble;
  }
  if (door >= 0)
    close(door);
  if (lock >= 0)
    close(lock);
  door = new_door;
  lock = new_lock;
  watch(EPOLL_CTL_ADD, door, EPOLLIN, DOOR);
  return NULL;
}

static bool is_our_socket(void)
{
  struct stat found;
  return stat(path, &found) == 0 && found.st_ino == bound.st_ino && found.st_dev == bound.st_dev;
}

/* ---- the runner's words ---- */

static void take_word_of_runner(char *line, size_t length)
{
  char *rest;
  struct connection *connection = find_connection(strtoull(line, &rest, 10));
  if (!connection || *rest != ' ')
    return;
  rest++;
  length -= (size_t)(rest - line);
  if (length == 4 && memcmp(rest, "drop", 4) == 0) {
    connection->ended = true;
    forget(connection);
    return;
  }
  set_waiting(connection, false);
  add(&connection->out, rest, length);
  add(&connection->out, "\n", 1);
  if (!send_rest(connection)) {
    let_go(connection);
    gather_until_ms = 1;
  }
}

static void read_runner(void)
{
  static struct text in;
  char data[65536];
  ssize_t length = read(STDIN_FILENO, data, sizeof data);
  if (length < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (length <= 0) {
    if (is_our_socket())
      unlink(path);
    watch(EPOLL_CTL_DEL, STDIN_FILENO, 0, RUNNER);
    closing = true;
    return;
  }
  add(&in, data, (size_t)length);
  size_t at = 0;
  for (char *end; at < in.used && (end = memchr(in.data + at, '\n', in.used - at));) {
    *end = '\0';
    take_word_of_runner(in.data + at, (size_t)(end - in.data) - at);
    at = (size_t)(end - in.data) + 1;
  }
  drop_front(&in, at);
}

/* ---- the loop ---- */

static void handle(const struct epoll_event *event)
{
  int64_t who = (int64_t)event->data.u64;
  if (who == RUNNER) {
    read_runner();
    return;
  }
  if (who == DOOR) {
    let_in();
    return;
  }
  struct connection *connection = find_connection((uint64_t)who);
  if (connection && event->events & EPOLLOUT) {
    watch(EPOLL_CTL_MOD, connection->fd, EPOLLIN, who);
    if (!send_rest(connection)) {
      let_go(connection);
      gather_until_ms = 1;
      return;
    }
  }
  if (connection && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
    read_client(connection);
}

static int wait_ms(double look_at_ms)
{
  double now = now_ms();
  double until = look_at_ms;
  if (gather_until_ms > 0 && gather_until_ms < until)
    until = gather_until_ms;
  return until <= now ? 0 : (int)(until - now) + 1;
}

static void run(void)
{
  double look_at_ms = now_ms() + LOOK_MS;
  for (;;) {
    struct epoll_event events[MOST_EVENTS];
    int count = epoll_wait(events_fd, events, MOST_EVENTS, closing ? 0 : wait_ms(look_at_ms));
    for (int i = 0; i < count; i++)
      handle(&events[i]);
    if (closing && count == 0) {
      flush_to_runner();
      exit(0);
    }
    double now = now_ms();
    if (gather_until_ms > 0 && now >= gather_until_ms)
      flush_to_runner();
    if (now >= look_at_ms && !closing) {
      look_at_ms = now + LOOK_MS;
      /* Somebody has cleaned up. What stands in the way is tried again with the next look. */
      if (!is_our_socket())
        open_door();
    }
  }
}

int main(int argc, char **argv)
{
  struct rlimit files;
  if (argc != 2) {
    fputs("usage: headrace-gate SOCKET\n", stderr);
    return 2;
  }
  path = argv[1];
  umask(0077);
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  events_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, RUNNER);
  const char *trouble = open_door();
  if (trouble) {
    printf("failed %s\n", trouble);
    return fflush(stdout) == 0 ? 0 : 1;
  }
  const char *ready = lock_was_there ? "ready again\n" : "ready fresh\n";
  add(&to_runner, ready, strlen(ready));
  flush_to_runner();
  run();
}
