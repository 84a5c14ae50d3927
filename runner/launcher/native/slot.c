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

static void tell(const struct news *news)
{
  while (write(news_pipe, news, sizeof *news) < 0)
    if (errno != EINTR)
      _exit(1); /* the launcher is gone */
}

static void run_job(const char *request)
{
  struct news news = {.slot = getpid()};
  start_job(request, &news);
  tell(&news);
  if (news.type == NEWS_UNSTARTED)
    return;
  await_end(&news);
  news.type = NEWS_EXITED;
  tell(&news);
}

void slot_run(struct ring *ring, int news, const char *first)
{
  pid_t launcher = getppid();
  /* Orphans of our jobs become our children. When the launcher is killed, so are we, and our job with us. */
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    fail("Cannot open a slot", strerror(errno));
  if (launcher == 1 || getppid() != launcher)
    _exit(1);
  news_pipe = news;
  close_launchers();
  for (const char *request = first;; request = ring_take(ring))
    run_job(request);
}
