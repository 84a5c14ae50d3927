#define _GNU_SOURCE
#include "launcher.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000 /* <linux/wait.h>: the calling thread's own children only */
#endif

/* An empty environment is either that of a process in the middle of an exec, or really empty: after so many looks it is. */
#define MOST_LOOKS 20
/* How often the last adopted processes are looked for at the end: each round kills what the former one set free. */
#define LAST_ROUNDS 200

enum owner { UNDECIDED, MARKED, UNMARKED };

struct stray {
  pid_t pid;
  enum owner owner;
  uint32_t tag;
  unsigned looks;
};

static const char *id;
static struct stray *strays;
static size_t count, room;

void strays_open(const char *launcher_id)
{
  id = launcher_id;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    fail("Cannot adopt orphans", strerror(errno));
}

/* Jobs are the starter thread's children, so that any child of this thread is an adopted one: one call tells. */
static bool has_adopted(void)
{
  siginfo_t info = {0};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) == 0;
}

/* ---- reading /proc ---- */

static void read_file(int directory, const char *pid, const char *name, struct bytes *into)
{
  char path[64];
  snprintf(path, sizeof path, "%s/%s", pid, name);
  into->used = 0;
  int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  for (;;) {
    ssize_t length = read(fd, bytes_reserve(into, 4096), 4096);
    if (length <= 0)
      break;
    into->used += (size_t)length;
  }
  close(fd);
}

static pid_t read_parent(int directory, const char *pid, struct bytes *scratch)
{
  read_file(directory, pid, "stat", scratch);
  bytes_add(scratch, "", 1);
  /* The program's name stands in brackets and may hold brackets itself: the state follows the last one. */
  const char *name_end = strrchr(scratch->data, ')');
  int parent = 0;
  if (!name_end || sscanf(name_end + 1, " %*c %d", &parent) != 1)
    return 0;
  return (pid_t)parent;
}

static void read_owner(int directory, const char *pid, struct stray *stray, struct bytes *scratch)
{
  read_file(directory, pid, "environ", scratch);
  if (scratch->used == 0) {
    stray->owner = ++stray->looks < MOST_LOOKS ? UNDECIDED : UNMARKED;
    return;
  }
  bytes_add(scratch, "", 1);
  /* The launcher's id is random: it stands nowhere but in a mark of ours. */
  const char *mark = memmem(scratch->data, scratch->used, id, strlen(id));
  stray->owner = mark && sscanf(mark + strlen(id), ".%u", &stray->tag) == 1 ? MARKED : UNMARKED;
}

/* ---- the table ---- */

static struct stray *find_stray(pid_t pid)
{
  for (size_t i = 0; i < count; i++)
    if (strays[i].pid == pid)
      return &strays[i];
  return NULL;
}

static struct stray *add_stray(pid_t pid)
{
  if (count == room) {
    room = room ? 2 * room : 16;
    strays = realloc(strays, room * sizeof *strays);
    if (!strays)
      fail("Cannot allocate memory", "out of memory");
  }
  strays[count] = (struct stray){.pid = pid, .owner = UNDECIDED};
  return &strays[count++];
}

static void look_at(int directory, const char *name, struct bytes *scratch)
{
  pid_t pid = (pid_t)atol(name);
  if (read_parent(directory, name, scratch) != getpid() || job_by_pid(pid))
    return;
  struct stray *stray = find_stray(pid);
  if (!stray)
    stray = add_stray(pid);
  if (stray->owner == UNDECIDED)
    read_owner(directory, name, stray, scratch);
  if (stray->owner == MARKED && !job_by_tag(stray->tag))
    kill(pid, SIGKILL);
}

void strays_look(void)
{
  static struct bytes scratch;
  if (!has_adopted())
    return;
  DIR *proc = opendir("/proc");
  if (!proc)
    return;
  for (struct dirent *entry; (entry = readdir(proc));)
    if (isdigit((unsigned char)entry->d_name[0]))
      look_at(dirfd(proc), entry->d_name, &scratch);
  closedir(proc);
}

unsigned strays_signal(uint32_t tag, int signal)
{
  unsigned found = 0;
  for (size_t i = 0; i < count; i++)
    if (strays[i].owner == MARKED && strays[i].tag == tag) {
      kill(strays[i].pid, signal);
      found++;
    }
  return found;
}

unsigned strays_undecided(void)
{
  unsigned found = 0;
  for (size_t i = 0; i < count; i++)
    found += strays[i].owner == UNDECIDED;
  return found;
}

bool strays_forget(pid_t pid, uint32_t *tag)
{
  struct stray *stray = find_stray(pid);
  if (!stray)
    return false;
  bool marked = stray->owner == MARKED;
  *tag = stray->tag;
  *stray = strays[--count];
  return marked;
}

void strays_end_all(void)
{
  for (int round = 0; round < LAST_ROUNDS && has_adopted(); round++) {
    strays_look();
    for (size_t i = 0; i < count; i++)
      kill(strays[i].pid, SIGKILL);
    usleep(1000);
    reap_processes();
  }
}
