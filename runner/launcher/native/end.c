#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A killed process is usually gone within a millisecond; one that hangs in the kernel is not worth many looks. */
#define QUICK_LOOKS 50
#define QUICK_LOOK_MS 1
#define SLOW_LOOK_MS 20

static struct job *ready; /* followers of jobs that have ended */

static double ms(struct timeval time)
{
  return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void add_usage(struct job *job, const struct rusage *usage)
{
  double peak = (double)usage->ru_maxrss * 1024;
  job->user_ms += ms(usage->ru_utime);
  job->system_ms += ms(usage->ru_stime);
  if (peak > job->peak_bytes)
    job->peak_bytes = peak;
}

/* ---- reaping ---- */

static void reap_job(struct job *job)
{
  struct rusage usage;
  /* The unreaped main process still holds the group's number, so that this cannot hit a stranger. */
  kill(-job->pid, SIGKILL);
  wait4(job->pid, &job->status, 0, &usage);
  add_usage(job, &usage);
  /* It may have ended by itself just before we killed it: then its exit is a result. */
  job->cut = job->cut && WIFSIGNALED(job->status) && WTERMSIG(job->status) == SIGKILL;
  /* By the clock that nobody sets, so that a duration is never negative. */
  job->exited_ms = job->started_ms + (double)(boot_ns() - job->started_ns) / 1e6;
  job->stage = ENDING;
}

/* An adopted process belongs to a job by its group or, when it left that, by its mark. */
static void reap_adopted(pid_t pid)
{
  struct rusage usage;
  struct job *job = job_by_pid(getpgid(pid));
  wait4(pid, NULL, 0, &usage);
  uint32_t tag;
  if (strays_forget(pid, &tag) && !job)
    job = job_by_tag(tag);
  if (!job)
    return;
  add_usage(job, &usage);
  if (job->stage == ENDING)
    job->strays++;
}

void reap_processes(void)
{
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      return;
    struct job *job = job_by_pid(info.si_pid);
    if (job)
      reap_job(job);
    else
      reap_adopted(info.si_pid);
  }
}

/* ---- ending ---- */

static void make_followers_ready(struct job *job)
{
  struct job **end = &ready;
  while (*end)
    end = &(*end)->next_follower;
  *end = job->followers;
}

static void finish(struct job *job, int error, enum step step, const char *label)
{
  output_exited(job, error, step, label);
  make_followers_ready(job);
  job_forget(job);
}

void end_unstarted(struct job *job, int error, enum step step, const char *label)
{
  if (job->started_ms == 0)
    job->started_ms = epoch_ms();
  job->exited_ms = job->started_ms;
  finish(job, error, step, label);
}

static bool is_gone(const struct job *job)
{
  if (strays_signal(job->tag, SIGKILL) > 0 || strays_undecided() > 0)
    return false;
  /* Not allowed to signal it means that it runs as somebody else now, out of our hands. */
  return kill(-job->pid, 0) != 0;
}

int end_jobs(void)
{
  int wait_ms = -1;
  bool looked = false;
  for (struct job *job = jobs_running(), *next; job; job = next) {
    next = job->next;
    if (job->stage != ENDING)
      continue;
    if (!looked)
      strays_look();
    looked = true;
    if (is_gone(job)) {
      finish(job, 0, STEP_NONE, NULL);
    } else {
      int look_ms = job->looks++ < QUICK_LOOKS ? QUICK_LOOK_MS : SLOW_LOOK_MS;
      if (wait_ms < 0 || look_ms < wait_ms)
        wait_ms = look_ms;
    }
  }
  return wait_ms;
}

void start_followers(void)
{
  while (ready) {
    struct job *job = ready;
    ready = job->next_follower;
    job->leader = NULL;
    char *request = job->request;
    job->request = NULL;
    start_job(job, request);
    free(request);
  }
}

/* ---- signals ---- */

void signal_job(struct job *job, int signal)
{
  if (job->stage != RUNNING)
    return;
  strays_look();
  kill(-job->pid, signal);
  strays_signal(job->tag, signal);
}

void cut_jobs(void)
{
  for (struct job *job = jobs_running(); job; job = job->next) {
    while (job->followers) {
      struct job *follower = job->followers;
      job_unfollow(follower);
      end_unstarted(follower, ECANCELED, STEP_CANCELED, NULL);
    }
    if (job->stage == RUNNING)
      job->cut = true;
    signal_job(job, SIGKILL);
  }
}
