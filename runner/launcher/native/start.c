#define _GNU_SOURCE
#include "launcher.h"

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
#define BITS_PER_WORD (8 * sizeof(unsigned long))

struct launch {
  struct launch_header header;
  const char *cpus;
  const char *label, *cwd, *out, *err;
  char **argv, **env;
};

static const char *id;
static const char *inherited_mark; /* of a launcher that is itself inside a job */
static int null_device = -1;

/* What the child needs between vfork and exec, and where it leaves its error. */
struct start {
  char **argv, **env;
  const char *cwd;
  const unsigned long *cpus; /* NULL: not bound */
  int out, err;
  pid_t slot;
  int error;
  enum step step;
};

_Noreturn static void give_up(struct start *start, enum step step)
{
  start->error = errno;
  start->step = step;
  _exit(127);
}

/* Runs in the child, in the parent's memory: only system calls, no allocation, nothing to be undone but `environ`. */
_Noreturn static void become_program(struct start *start)
{
  static sigset_t none; /* zero is the empty set */
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  /* Costs nothing that can be measured, and ends the job when we are killed before we can end it. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* Killed already: a signal for its death would never come. */
  if (getppid() != start->slot)
    _exit(127);
  if (start->cpus && sched_setaffinity(0, MOST_CPUS / 8, (const cpu_set_t *)start->cpus) != 0)
    give_up(start, STEP_CPUS);
  dup2(null_device, 0);
  dup2(start->out, 1);
  dup2(start->err, 2);
  if (start->cwd && chdir(start->cwd) != 0)
    give_up(start, STEP_CWD);
  environ = start->env; /* execvp looks along the job's own PATH */
  execvp(start->argv[0], start->argv);
  give_up(start, STEP_EXEC);
}

static pid_t start_process(struct start *start)
{
  char **own = environ;
  start->slot = getpid();
  pid_t pid = vfork();
  if (pid == 0)
    become_program(start);
  environ = own;
  if (pid < 0) {
    start->error = errno;
    start->step = STEP_FORK;
  } else if (start->error != 0) {
    waitpid(pid, NULL, 0);
  }
  return pid;
}

void start_open(const char *launcher_id)
{
  id = launcher_id;
  inherited_mark = getenv(MARK_NAME);
}

/* ---- reading the request ---- */

bool launch_is_sound(const char *request, size_t length)
{
  struct launch_header header;
  if (length < sizeof header)
    return false;
  memcpy(&header, request, sizeof header);
  uint64_t fixed = sizeof header + 4 * (uint64_t)header.cpuc;
  if (fixed > length || header.argc == 0)
    return false;
  uint64_t strings = 0;
  for (const char *at = request + fixed; at < request + length; at++)
    strings += *at == '\0';
  return strings == 4 + (uint64_t)header.argc + header.envc && request[length - 1] == '\0';
}

static char **read_strings(const char **at, uint32_t count)
{
  char **strings = allocate((count + 1) * sizeof *strings);
  for (uint32_t i = 0; i < count; i++) {
    strings[i] = (char *)*at;
    *at += strlen(*at) + 1;
  }
  strings[count] = NULL;
  return strings;
}

static const char *read_string(const char **at)
{
  const char *string = *at;
  *at += strlen(string) + 1;
  return string;
}

const char *launch_label(const char *request)
{
  struct launch_header header;
  memcpy(&header, request, sizeof header);
  return request + sizeof header + 4 * (size_t)header.cpuc;
}

static struct launch read_launch(const char *request)
{
  struct launch launch;
  memcpy(&launch.header, request, sizeof launch.header);
  launch.cpus = request + sizeof launch.header;
  const char *at = launch.cpus + 4 * (size_t)launch.header.cpuc;
  launch.label = read_string(&at);
  launch.cwd = read_string(&at);
  launch.out = read_string(&at);
  launch.err = read_string(&at);
  launch.argv = read_strings(&at, launch.header.argc);
  launch.env = read_strings(&at, launch.header.envc);
  return launch;
}

/* ---- what the child needs ---- */

static bool is_overlaid(const char *entry, char **overlay, uint32_t count)
{
  size_t name = strcspn(entry, "=");
  if (strncmp(entry, MARK_NAME, name) == 0 && MARK_NAME[name] == '\0')
    return true;
  for (uint32_t i = 0; i < count; i++)
    if (strncmp(entry, overlay[i], name) == 0 && (overlay[i][name] == '=' || overlay[i][name] == '\0'))
      return true;
  return false;
}

/* Our own environment, with the overlay's NAME=VALUE put over it and its bare NAMEs taken away, and the mark. */
static char **build_environment(const struct launch *launch, char *mark)
{
  size_t own = 0;
  while (environ[own])
    own++;
  char **env = allocate((own + launch->header.envc + 2) * sizeof *env);
  size_t used = 0;
  for (size_t i = 0; i < own; i++)
    if (!is_overlaid(environ[i], launch->env, launch->header.envc))
      env[used++] = environ[i];
  for (uint32_t i = 0; i < launch->header.envc; i++)
    if (strchr(launch->env[i], '='))
      env[used++] = launch->env[i];
  env[used++] = mark;
  env[used] = NULL;
  return env;
}

/* The marks of launchers around us stay in front, so that the outermost one finds our jobs too. */
static char *build_mark(uint32_t tag)
{
  char *mark = NULL;
  int length = asprintf(&mark, MARK_NAME "=%s%s%s.%u", inherited_mark ? inherited_mark : "", inherited_mark ? " " : "",
                        id, tag);
  if (length < 0)
    fail("Cannot allocate memory", "out of memory");
  return mark;
}

static const unsigned long *build_cpus(const struct launch *launch)
{
  static unsigned long mask[MOST_CPUS / BITS_PER_WORD];
  if (launch->header.cpuc == 0)
    return NULL;
  memset(mask, 0, sizeof mask);
  for (uint32_t i = 0; i < launch->header.cpuc; i++) {
    uint32_t cpu;
    memcpy(&cpu, launch->cpus + 4 * (size_t)i, sizeof cpu);
    if (cpu < MOST_CPUS)
      mask[cpu / BITS_PER_WORD] |= 1ul << (cpu % BITS_PER_WORD);
  }
  return mask;
}

/* Opens a log anew; "" is /dev/null. Returns -1 and leaves the reason in `start`. */
static int open_log(const char *path, enum step step, struct start *start)
{
  if (path[0] == '\0')
    return null_device;
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd < 0) {
    start->error = errno;
    start->step = step;
  }
  return fd;
}

static void close_log(int fd)
{
  if (fd >= 0 && fd != null_device)
    close(fd);
}

void start_job(const char *request, struct news *news)
{
  struct launch launch = read_launch(request);
  bool combined = launch.header.flags & LAUNCH_COMBINED;
  char *mark = build_mark(launch.header.tag);
  struct start start = {
    .argv = launch.argv,
    .env = build_environment(&launch, mark),
    .cwd = launch.cwd[0] ? launch.cwd : NULL,
    .cpus = build_cpus(&launch),
  };
  if (null_device < 0)
    null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  start.out = open_log(launch.out, STEP_STDOUT, &start);
  start.err = start.out < 0 || combined ? start.out : open_log(launch.err, STEP_STDERR, &start);

  news->tag = launch.header.tag;
  news->started_ms = news->exited_ms = epoch_ms();
  group_limit(launch.header.memory_mib);
  news->before_ns = boot_ns();
  if (start.error == 0)
    news->pid = start_process(&start);
  news->after_ns = boot_ns();
  news->type = start.error == 0 ? NEWS_STARTED : NEWS_UNSTARTED;
  news->error = start.error;
  news->step = start.step;

  close_log(start.out);
  if (!combined)
    close_log(start.err);
  free(start.env);
  free(launch.env);
  free(launch.argv);
  free(mark);
}
