#define _GNU_SOURCE
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The kernel's own limit for a CPU mask (NR_CPUS of the largest kernels is 8,192). */
#define MOST_CPUS 8192

/* What a child needs to become its program; it runs in our memory until then. */
struct start {
  const struct program *program;
  const cpu_set_t *cpus; /* NULL: not bound */
  pid_t group; /* to join; 0 to found one, -1 to stay in ours */
  int in, out, err; /* -1: ours */
  int error;
  const char *failed; /* what it failed at */
};

/* Whether our process group is the one that the terminal's keys are for: then the tasks stay in it. */
static bool in_front_of_terminal(void)
{
  int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0)
    return false;
  bool in_front = tcgetpgrp(terminal) == getpgrp();
  close(terminal);
  return in_front;
}

/* ---- environment ---- */

static void set(const char *name, const char *value)
{
  if (setenv(name, value, 1) != 0)
    give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
}

static void set_number(const char *name, unsigned value)
{
  char text[16];
  snprintf(text, sizeof text, "%u", value);
  set(name, text);
}

static void set_all(const char **settings)
{
  for (; settings && *settings; settings++) {
    const char *equals = strchr(*settings, '=');
    char *name = strndup(*settings, (size_t)(equals - *settings));
    set(name, equals + 1);
    free(name);
  }
}

/* What all tasks see. The marks of launchers around us stay in front, so that whoever is outermost finds our processes too. */
static void set_common(const struct launch *launch)
{
  static const char *const gpu_names[] = {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"};
  const struct grant *grant = &launch->grant;
  const char *around = getenv("HEADRACE_LAUNCH");
  char *mark;
  if (asprintf(&mark, "%s%s%s", around ? around : "", around ? " " : "", grant->id) < 0)
    give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
  set("HEADRACE_LAUNCH", mark);
  free(mark);
  set("HEADRACE_GRANT", grant->id);
  set_number("SIZE", launch->task_count);
  set_number("WORLD_SIZE", launch->task_count);
  set_number("LOCAL_SIZE", launch->task_count);
  set_number("LOCAL_WORLD_SIZE", launch->task_count);
  set_number("NODE_RANK", 0);
  unsetenv("HEADRACE_GPUS");
  if (launch->options->gpus > 0) {
    set("HEADRACE_GPUS", grant->gpus_text);
    for (size_t i = 0; i < sizeof gpu_names / sizeof *gpu_names; i++)
      set(gpu_names[i], grant->gpus_text);
  }
  set_all(launch->options->settings);
}

static void set_own(const struct task *task, const unsigned *cores, unsigned count)
{
  set_number("RANK", task->rank);
  set_number("LOCAL_RANK", task->rank);
  if (count == 0) {
    unsetenv("HEADRACE_CORES");
    return;
  }
  char *list = allocate(12 * (size_t)count + 1);
  char *at = list;
  for (unsigned i = 0; i < count; i++)
    at += sprintf(at, i ? ",%u" : "%u", cores[i]);
  set("HEADRACE_CORES", list);
  free(list);
}

static char **copy_environment(void)
{
  size_t count = 0;
  while (environ[count])
    count++;
  char **copy = allocate((count + 1) * sizeof *copy);
  memcpy(copy, environ, count * sizeof *copy);
  return copy;
}

/* ---- files ---- */

/* %r is the rank, %h the host, %% a per cent sign. */
static char *expand_pattern(const char *pattern, unsigned rank)
{
  char host[256] = "";
  char number[16];
  gethostname(host, sizeof host - 1);
  snprintf(number, sizeof number, "%u", rank);
  size_t room = strlen(pattern) * sizeof host + 1;
  char *path = allocate(room);
  char *at = path;
  for (; *pattern; pattern++) {
    const char *piece = NULL;
    if (*pattern == '%')
      piece = pattern[1] == 'r' ? number : pattern[1] == 'h' ? host : pattern[1] == '%' ? "%" : NULL;
    if (piece) {
      at = stpcpy(at, piece);
      pattern++;
    } else {
      *at++ = *pattern;
    }
  }
  return path;
}

/* Opened for adding, since tasks may share a file; emptied by the first of them. */
static int open_output(const char *pattern, unsigned rank)
{
  bool shared = rank > 0 && !strstr(pattern, "%r");
  char *path = expand_pattern(pattern, rank);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | (shared ? 0 : O_TRUNC), 0666);
  if (fd < 0)
    give_up(EXIT_NOT_EXECUTABLE, "Cannot write to %s: %s", path, strerror(errno));
  free(path);
  return fd;
}

static void open_streams(const struct launch *launch, struct task *task, struct start *start)
{
  const struct options *options = launch->options;
  start->in = start->out = start->err = -1;
  if (task->rank > 0)
    start->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (options->labels)
    labels_open(task, options->out_pattern ? NULL : &start->out, options->err_pattern ? NULL : &start->err);
  if (options->out_pattern)
    start->out = open_output(options->out_pattern, task->rank);
  if (options->err_pattern)
    start->err = open_output(options->err_pattern, task->rank);
}

static void close_streams(const struct start *start)
{
  const int fds[] = {start->in, start->out, start->err};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0)
      close(fds[i]);
}

/* ---- one task ---- */

_Noreturn static void fail(struct start *start, const char *what)
{
  start->error = errno;
  start->failed = what;
  _exit(EXIT_NOT_FOUND);
}

/* Runs in the child, in our memory: only system calls, no allocation. */
_Noreturn static void become_program(struct start *start)
{
  watch_restore_signals();
  /* What we cannot end when we are killed ourselves, the kernel does. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (start->group >= 0)
    setpgid(0, start->group);
  if (start->cpus)
    sched_setaffinity(0, MOST_CPUS / 8, start->cpus);
  if (start->in >= 0)
    dup2(start->in, STDIN_FILENO);
  if (start->out >= 0)
    dup2(start->out, STDOUT_FILENO);
  if (start->err >= 0)
    dup2(start->err, STDERR_FILENO);
  if (start->program->directory && chdir(start->program->directory) != 0)
    fail(start, start->program->directory);
  execvp(start->program->argv[0], start->program->argv);
  fail(start, start->program->argv[0]);
}

static const cpu_set_t *find_cpus(const unsigned *cores, unsigned count)
{
  static unsigned long words[MOST_CPUS / (8 * sizeof(unsigned long))];
  cpu_set_t *mask = (cpu_set_t *)words;
  CPU_ZERO_S(sizeof words, mask);
  for (unsigned i = 0; i < count; i++)
    if (cores[i] < MOST_CPUS)
      CPU_SET_S(cores[i], sizeof words, mask);
  return count > 0 ? mask : NULL;
}

static void start_task(struct launch *launch, struct task *task, struct start *start)
{
  start->error = 0;
  open_streams(launch, task, start);
  pid_t pid = vfork();
  if (pid == 0)
    become_program(start);
  if (pid < 0) {
    start->error = errno;
    start->failed = start->program->argv[0];
  }
  close_streams(start);
  if (start->error == 0) {
    task->pid = pid;
    return;
  }
  if (pid > 0)
    waitpid(pid, NULL, 0);
  complain("Cannot run %s: %s", start->failed, strerror(start->error));
  int code = start->error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
  if (code > launch->code)
    launch->code = code;
}

void start_tasks(struct launch *launch)
{
  const struct options *options = launch->options;
  bool own_group = !in_front_of_terminal();
  unsigned rank = 0, core = 0;
  launch->tasks = allocate(launch->task_count * sizeof *launch->tasks);
  /* Whatever the tasks leave behind comes to us, wherever it went. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  set_common(launch);
  launch->started_ms = epoch_ms();
  for (unsigned i = 0; i < options->program_count; i++) {
    const struct program *program = &options->programs[i];
    bool is_last = i + 1 == options->program_count;
    char **common = is_last ? NULL : copy_environment();
    set_all(program->settings);
    for (unsigned n = 0; n < program->tasks; n++, rank++) {
      struct task *task = &launch->tasks[rank];
      unsigned cores = core + program->cpus <= launch->grant.core_count ? program->cpus : 0;
      *task = (struct task){.rank = rank, .out = -1, .err = -1};
      set_own(task, launch->grant.cores + core, cores);
      struct start start = {.program = program, .group = own_group ? launch->group : -1};
      if (options->bind && launch->grant.bind)
        start.cpus = find_cpus(launch->grant.cores + core, cores);
      start_task(launch, task, &start);
      if (own_group && launch->group == 0)
        launch->group = task->pid;
      core += cores;
    }
    if (!is_last)
      environ = common;
  }
}
