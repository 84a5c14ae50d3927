#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUESTS 0
#define REPORTS 1

static int listener = -1;
static uint64_t patience_ns;
static bool waiting; /* nobody is connected */
static uint64_t deadline_ns; /* since boot; 0: a runner answers for the jobs */

/* An address of the kernel's own, which is gone with us. NULs fill it up, since some Node versions compare the whole of it. */
static struct sockaddr_un address_of(const char *id)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "headrace-launcher-%s", id);
  return address;
}

void orphan_open(const char *id, uint64_t patience_ms)
{
  if (patience_ms == 0)
    return;
  struct sockaddr_un address = address_of(id);
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
    fail("Cannot open the socket for the next runner", strerror(errno));
  patience_ns = patience_ms * 1000000u;
}

bool orphan_begin(void)
{
  if (listener < 0)
    return false;
  waiting = true;
  /* A runner that dies before it answers for the jobs gains them no time: their leases run out. */
  if (deadline_ns == 0)
    deadline_ns = boot_ns() + patience_ns;
  return true;
}

bool orphan_waits(void)
{
  return waiting;
}

int orphan_socket(void)
{
  return waiting ? listener : -1;
}

int orphan_left_ms(void)
{
  if (deadline_ns == 0)
    return -1;
  uint64_t now = boot_ns();
  return now >= deadline_ns ? 0 : (int)((deadline_ns - now) / 1000000u + 1);
}

static bool is_ours(int connection)
{
  struct ucred peer;
  socklen_t length = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == getuid();
}

bool orphan_adopt(void)
{
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0)
    return false;
  bool ours = is_ours(connection);
  if (ours) {
    dup2(connection, REQUESTS);
    dup2(connection, REPORTS);
    waiting = false;
  }
  close(connection);
  return ours;
}

void orphan_keep(void)
{
  deadline_ns = 0;
}
