#define _GNU_SOURCE
#include "exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between TERM and KILL: a test suite waits behind us. */
#define GRACE_MS 5000
#define SUCCESSOR_LOOK_MS 200

static const int handed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static sigset_t former;
static int signals;
static double kill_at_ms; /* 0: nothing is being ended */
static bool timed_out;

void watch_open(void)
{
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
    sigaddset(&wanted, handed_on[i]);
  sigprocmask(SIG_BLOCK, &wanted, &former);
  signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0)
    give_up(EXIT_NO_RUNNER, "Cannot watch for signals: %s", strerror(errno));
}

void watch_restore_signals(void)
{
  sigprocmask(SIG_SETMASK, &former, NULL);
}

/* ---- signals ---- */

static void signal_tasks(const struct launch *launch, int signal)
{
  bool any = false;
  for (unsigned i = 0; i < launch->task_count; i++)
    if (launch->tasks[i].pid > 0) {
      any = true;
      if (launch->group == 0)
        kill(launch->tasks[i].pid, signal);
    }
  /* The number belongs to the group as long as a task of it was not waited for. */
  if (any && launch->group > 0)
    kill(-launch->group, signal);
}

static void end_tasks(struct launch *launch)
{
  if (kill_at_ms > 0)
    return;
  kill_at_ms = epoch_ms() + GRACE_MS;
  for (unsigned i = 0; i < launch->task_count; i++)
    launch->tasks[i].ended_by_us = launch->tasks[i].pid > 0;
  signal_tasks(launch, SIGTERM);
  signal_tasks(launch, SIGCONT);
}

static void hand_on_signals(const struct launch *launch)
{
  struct signalfd_siginfo notice;
  while (read(signals, &notice, sizeof notice) == sizeof notice) {
    /* A key at the terminal reaches the tasks by itself when they are in our group. */
    bool known = launch->group == 0 && notice.ssi_code == SI_KERNEL;
    if (notice.ssi_signo != SIGCHLD && !known)
      signal_tasks(launch, (int)notice.ssi_signo);
  }
}

/* ---- ends ---- */

static double ms(struct timeval time)
{
  return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void add_usage(struct launch *launch, const struct rusage *usage)
{
  double peak = (double)usage->ru_maxrss * 1024;
  launch->user_ms += ms(usage->ru_utime);
  launch->system_ms += ms(usage->ru_stime);
  if (peak > launch->peak_bytes)
    launch->peak_bytes = peak;
}

static void note_task_end(struct launch *launch, struct task *task, int status)
{
  task->pid = 0;
  /* What we ended says nothing about the launch. */
  if (task->ended_by_us && WIFSIGNALED(status))
    return;
  int code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
  if (code > launch->code)
    launch->code = code;
}

static struct task *find_task(const struct launch *launch, pid_t pid)
{
  for (unsigned i = 0; i < launch->task_count; i++)
    if (launch->tasks[i].pid == pid)
      return &launch->tasks[i];
  return NULL;
}

static void reap(struct launch *launch)
{
  struct rusage usage;
  int status;
  for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
    struct task *task = find_task(launch, pid);
    add_usage(launch, &usage);
    if (task)
      note_task_end(launch, task, status);
  }
}

static bool tasks_left(const struct launch *launch)
{
  for (unsigned i = 0; i < launch->task_count; i++)
    if (launch->tasks[i].pid > 0)
      return true;
  return false;
}

/* Kills our children, which are the orphans that the tasks left; false when the system does not tell of any. */
static bool kill_children(void)
{
  FILE *file = fopen("/proc/thread-self/children", "re");
  int pid;
  bool any = false;
  if (!file)
    return false;
  while (fscanf(file, "%d", &pid) == 1) {
    any = true;
    kill(pid, SIGKILL);
  }
  fclose(file);
  return any;
}

/* The cores are given back, so nothing may go on. What is killed sets its own children free, which come to us in turn. */
static void end_leftovers(struct launch *launch)
{
  struct rusage usage;
  for (;;) {
    pid_t pid = wait4(-1, NULL, WNOHANG, &usage);
    if (pid == 0) {
      if (!kill_children())
        return;
      pid = wait4(-1, NULL, 0, &usage);
    }
    if (pid < 0)
      return;
    add_usage(launch, &usage);
  }
}

/* ---- the loop ---- */

static double sooner(double a, double b)
{
  return a > 0 && (b == 0 || a < b) ? a : b;
}

/* Ends what is overdue; returns for how long nothing is due, -1 for ever. */
static int look_at_clock(struct launch *launch)
{
  double now = epoch_ms();
  double timeout = launch->options->timeout_ms;
  double due = 0;
  if (timeout > 0 && !timed_out) {
    timed_out = now >= launch->started_ms + timeout;
    if (timed_out)
      end_tasks(launch);
    else
      due = launch->started_ms + timeout;
  }
  if (kill_at_ms > 0 && now >= kill_at_ms) {
    signal_tasks(launch, SIGKILL);
    kill_at_ms = now + GRACE_MS;
  }
  due = sooner(kill_at_ms, due);
  if (node_fd() < 0)
    due = sooner(now + SUCCESSOR_LOOK_MS, due);
  return due == 0 ? -1 : (int)(due - now) + 1;
}

static void print_labelled(const struct launch *launch, bool last)
{
  for (unsigned i = 0; launch->options->labels && i < launch->task_count; i++)
    labels_print(&launch->tasks[i], last);
}

void watch_tasks(struct launch *launch)
{
  size_t room = 2 + 2 * (size_t)launch->task_count;
  struct pollfd *fds = allocate(room * sizeof *fds);
  while (tasks_left(launch)) {
    if (launch->code != 0 && !launch->options->keep_going)
      end_tasks(launch);
    int wait_ms = look_at_clock(launch);
    nfds_t count = 0;
    fds[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = node_fd(), .events = POLLIN};
    if (launch->options->labels)
      for (unsigned i = 0; i < launch->task_count; i++) {
        fds[count++] = (struct pollfd){.fd = launch->tasks[i].out, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = launch->tasks[i].err, .events = POLLIN};
      }
    if (poll(fds, count, wait_ms) < 0 && errno != EINTR)
      give_up(EXIT_NO_RUNNER, "Cannot wait for the program: %s", strerror(errno));
    if (fds[1].revents)
      note_node_end();
    else if (node_fd() < 0)
      find_successor(launch);
    hand_on_signals(launch);
    print_labelled(launch, false);
    reap(launch);
  }
  end_leftovers(launch);
  print_labelled(launch, true);
  launch->exited_ms = epoch_ms();
  if (timed_out)
    launch->code = EXIT_TIMEOUT;
  free(fds);
}
