#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
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

/* What follows the frame's length; the strings come after the CPU numbers. */
struct launch_header {
  uint32_t type, tag, flags, after, argc, envc, cpuc;
};

struct launch {
  struct launch_header header;
  const char *cpus;
  const char *label, *cwd, *out, *err;
  char **argv, **env;
};

/* One start, handed to the starter thread and back. */
struct start {
  char **argv, **env;
  const char *cwd;
  const unsigned long *cpus; /* NULL: not bound */
  int out, err;
  pid_t pid;
  int error;
  enum step step;
};

static const char *id;
static const char *inherited_mark; /* of a launcher that is itself inside a job */
static int null_device;
static struct start current;
static sem_t wanted, finished;

/* ---- the starter thread ----
 * vfork is called from a thread of its own, so that jobs are that thread's children, while processes that lost their
 * parent are given to the main thread: it can ask for its own children alone, and learns in one call whether there are
 * strays (strays.c). The two threads never run at once. */

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

static void *starter(void *unused)
{
  for (;;) {
    while (sem_wait(&wanted) != 0) {
    }
    char **own = environ;
    pid_t pid = vfork();
    if (pid == 0)
      become_program(&current);
    environ = own;
    current.pid = pid;
    if (pid < 0) {
      current.error = errno;
      current.step = STEP_FORK;
    } else if (current.error != 0) {
      waitpid(pid, NULL, 0);
    }
    sem_post(&finished);
  }
  return unused;
}

void starter_open(const char *launcher_id)
{
  id = launcher_id;
  inherited_mark = getenv(MARK_NAME);
  null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_device < 0)
    fail("Cannot open /dev/null", strerror(errno));
  sem_init(&wanted, 0, 0);
  sem_init(&finished, 0, 0);
  pthread_t thread;
  int error = pthread_create(&thread, NULL, starter, NULL);
  if (error != 0)
    fail("Cannot start the starter thread", strerror(error));
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

/* Opens a log anew; "" is /dev/null. Returns -1 and leaves the reason in `current`. */
static int open_log(const char *path, enum step step)
{
  if (path[0] == '\0')
    return null_device;
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd < 0) {
    current.error = errno;
    current.step = step;
  }
  return fd;
}

static void close_log(int fd)
{
  if (fd >= 0 && fd != null_device)
    close(fd);
}

void start_job(struct job *job, const char *request)
{
  struct launch launch = read_launch(request);
  bool combined = launch.header.flags & LAUNCH_COMBINED;
  char *mark = build_mark(job->tag);
  memset(&current, 0, sizeof current);
  current.argv = launch.argv;
  current.env = build_environment(&launch, mark);
  current.cwd = launch.cwd[0] ? launch.cwd : NULL;
  current.cpus = build_cpus(&launch);
  current.out = open_log(launch.out, STEP_STDOUT);
  current.err = current.out < 0 || combined ? current.out : open_log(launch.err, STEP_STDERR);

  job->started_ms = epoch_ms();
  job->started_ns = boot_ns();
  if (current.error == 0) {
    sem_post(&wanted);
    while (sem_wait(&finished) != 0) {
    }
  }
  close_log(current.out);
  if (!combined)
    close_log(current.err);

  if (current.error == 0) {
    job_set_running(job, current.pid);
    output_started(job, job->started_ns, boot_ns(), launch.label);
  } else {
    end_unstarted(job, current.error, current.step, launch.label);
  }
  free(current.env);
  free(launch.env);
  free(launch.argv);
  free(mark);
}
