#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A killed process is usually gone within a millisecond; one that hangs in the kernel is not worth many looks. */
#define QUICK_LOOKS 50
#define QUICK_LOOK_US 1000
#define SLOW_LOOK_US 20000

static unsigned signalled; /* how many of our children the last round could kill */

static double ms(struct timeval time)
{
  return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void add_usage(struct news *news, const struct rusage *usage)
{
  double peak = (double)usage->ru_maxrss * 1024;
  news->user_ms += ms(usage->ru_utime);
  news->system_ms += ms(usage->ru_stime);
  if (peak > news->peak_bytes)
    news->peak_bytes = peak;
}

static void reap_stray(struct news *news, pid_t pid)
{
  struct rusage usage;
  wait4(pid, NULL, 0, &usage);
  add_usage(news, &usage);
}

/* A process that ended and is still to be reaped; 0 when all live, -1 when there is none at all. */
static pid_t find_ended(int options)
{
  siginfo_t info = {0};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | options) != 0)
    if (errno != EINTR)
      return -1;
  return info.si_pid;
}

static void await_main(struct news *news)
{
  pid_t ended;
  while ((ended = find_ended(0)) != news->pid) {
    if (ended < 0)
      fail("Cannot wait for a job", strerror(errno));
    reap_stray(news, ended);
  }
}

static void reap_main(struct news *news)
{
  struct rusage usage;
  /* The unreaped main process still holds the group's number, so that this cannot hit a stranger. */
  kill(-news->pid, SIGKILL);
  wait4(news->pid, &news->status, 0, &usage);
  add_usage(news, &usage);
}

static void kill_child(pid_t pid, pid_t parent, pid_t group)
{
  (void)group;
  signalled += parent == getpid() && kill(pid, SIGKILL) == 0;
}

/* Everything that the job left behind is our child by now or becomes it, so that all is gone when we have no child. */
static void end_strays(struct news *news)
{
  pid_t ended;
  for (unsigned looks = 0; (ended = find_ended(WNOHANG)) >= 0;) {
    if (ended > 0) {
      reap_stray(news, ended);
      news->strays++;
      continue;
    }
    usleep(looks++ < QUICK_LOOKS ? QUICK_LOOK_US : SLOW_LOOK_US);
    signalled = 0;
    processes_each(kill_child);
    /* What we may not signal runs as somebody else now, out of our hands. */
    if (signalled == 0 && find_ended(WNOHANG) == 0)
      return;
  }
}

void await_end(struct news *news)
{
  await_main(news);
  /* By the clock that nobody sets, so that a duration is never negative. */
  news->exited_ms = news->started_ms + (double)(boot_ns() - news->before_ns) / 1e6;
  reap_main(news);
  end_strays(news);
}
