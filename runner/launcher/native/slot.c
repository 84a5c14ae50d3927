#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int news_pipe;

/* What the launcher holds open is its own: a pipe that stays open here would hide the launcher's end from the runner. */
static void close_launchers(void)
{
  int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  DIR *directory = opendir("/proc/self/fd");
  if (null_device < 0 || !directory)
    fail("Cannot open a slot", strerror(errno));
  for (struct dirent *entry; (entry = readdir(directory));) {
    int fd = atoi(entry->d_name);
    if (fd > 2 && fd != dirfd(directory) && fd != news_pipe && fd != null_device)
      close(fd);
  }
  closedir(directory);
  dup2(null_device, 0);
  dup2(null_device, 1);
  close(null_device);
}

/* What is not told yet: an exit may wait for the start that follows it, so that one word does for both. */
static struct news untold[2];
static size_t untold_count;

static void tell(void)
{
  size_t length = untold_count * sizeof *untold;
  while (untold_count > 0 && write(news_pipe, untold, length) < 0)
    if (errno != EINTR)
      _exit(1); /* the launcher is gone */
  untold_count = 0;
}

static void run_job(const char *request)
{
  struct news *news = &untold[untold_count++];
  *news = (struct news){.slot = getpid()};
  start_job(request, news);
  struct news running = *news;
  tell();
  if (running.type == NEWS_UNSTARTED)
    return;
  await_end(&running);
  running.type = NEWS_EXITED;
  untold[untold_count++] = running;
}

static const char *next_request(struct ring *ring)
{
  const char *request;
  while (!(request = ring_take(ring))) {
    tell();
    ring_wait(ring);
  }
  return request;
}

void slot_run(pid_t launcher, struct ring *ring, int news, const char *first)
{
  /* Orphans of our jobs become our children. When the launcher is killed, so are we, and our job with us. */
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    fail("Cannot open a slot", strerror(errno));
  if (getppid() != launcher)
    _exit(1);
  news_pipe = news;
  close_launchers();
  for (const char *request = first;; request = next_request(ring))
    run_job(request);
}
