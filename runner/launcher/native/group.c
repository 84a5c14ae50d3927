#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_PER_MIB (1ull << 20)
/* Less than this is no look at its kinds worth, which takes as long as a short job: the slot's own, and what the last job had read. */
#define LITTLE_BYTES (4 * BYTES_PER_MIB)
/* A killed process is usually gone within a millisecond; one that hangs in the kernel is not worth waiting for. */
#define LOOKS 1000
#define LOOK_US 1000

static const char *parent; /* NULL: there are no groups here */
static unsigned turn; /* the how-manieth group of this slot it is in, 0: in none */
static uint32_t limit_mib; /* 0: none */

void group_open(const char *directory)
{
  parent = directory;
}

/* ---- in the slot ---- */

static void build_path(char *path, size_t room, const char *name)
{
  snprintf(path, room, "%s/slot-%d.%u/%s", parent, getpid(), turn, name);
}

/* Tells false when the kernel does not take it. A file that is not there is made, as no kernel does: so a plain directory can stand for one. */
static bool write_word(const char *name, const char *word)
{
  char path[4096];
  build_path(path, sizeof path, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return false;
  bool written = write(fd, word, strlen(word)) == (ssize_t)strlen(word);
  close(fd);
  return written;
}

/* The number behind `key` in one of the kernel's files, or behind nothing; 0 where there is none. */
static unsigned long long read_number(int directory, const char *name, const char *key)
{
  char text[4096];
  int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  close(fd);
  text[length < 0 ? 0 : length] = '\0';
  const char *found = strstr(text, key);
  return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

/*
 * The slot goes in itself, and with it every job from now on: moving a job's process would cost milliseconds for each. So the kernel may find
 * nobody but the slot to kill. Therefore it kills all of a group or nothing, and the launcher knows what became of the job (group_end).
 */
static bool enter(void)
{
  char path[4096], pid[16];
  turn++;
  build_path(path, sizeof path, "");
  snprintf(pid, sizeof pid, "%d", getpid());
  mkdir(path, 0755);
  if (!write_word("cgroup.procs", pid))
    return false;
  write_word("memory.oom.group", "1");
  /* What may be swapped is no limit; kernels without swap have no such file. */
  write_word("memory.swap.max", "0");
  limit_mib = 0;
  return true;
}

/* Whether former jobs have left files in memory. They count for the group as long as they are there, and are not the next job's doing. */
static bool holds_files(void)
{
  char path[4096];
  build_path(path, sizeof path, "");
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool holds = read_number(directory, "memory.current", "") > LITTLE_BYTES &&
               read_number(directory, "memory.stat", "\nshmem ") > BYTES_PER_MIB;
  close(directory);
  return holds;
}

static void leave_files_behind(void)
{
  char former[4096];
  build_path(former, sizeof former, "");
  if (enter())
    rmdir(former);
  else
    turn--;
}

void group_limit(uint32_t mib)
{
  if (!parent || (mib == 0 && limit_mib == 0))
    return;
  if (turn == 0 && !enter()) {
    parent = NULL;
    return;
  }
  if (mib > 0 && holds_files())
    leave_files_behind();
  if (mib == limit_mib)
    return;
  char word[24] = "max";
  if (mib > 0)
    snprintf(word, sizeof word, "%llu", mib * BYTES_PER_MIB);
  write_word("memory.max", word);
  limit_mib = mib;
}

/* ---- in the launcher ---- */

static bool end_processes(int group)
{
  int fd = openat(group, "cgroup.kill", O_WRONLY | O_CLOEXEC);
  /* Linux before 5.14 has no such file; there the kernel has killed all of the group, or the wait is in vain. */
  if (fd >= 0 && write(fd, "1", 1) < 0)
    perror("headrace-launcher: Cannot end the processes of a cgroup");
  close(fd);
  for (int looks = 0; read_number(group, "cgroup.events", "populated ") != 0; looks++) {
    if (looks == LOOKS)
      return false;
    usleep(LOOK_US);
  }
  return true;
}

static void withhold_memory(const char *from)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s/cgroup.subtree_control", parent, from);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  /* Another runner that has its jobs there keeps it as it is. */
  if (fd >= 0 && write(fd, "-memory", 7) < 0 && errno != EBUSY)
    perror("headrace-launcher: Cannot give a cgroup back");
  close(fd);
}

void group_give_back(void)
{
  char leaf[4096];
  snprintf(leaf, sizeof leaf, "%s/../headrace-runner", parent ? parent : "");
  /* The leaf is there where it was the runner that had limits handed on. */
  if (!parent || access(leaf, F_OK) != 0)
    return;
  withhold_memory(".");
  withhold_memory("..");
}

/* The most that the group held, but not what a job before had with a higher limit. 0: not known (Linux before 5.19). */
static double peak_of(int group)
{
  unsigned long long peak = read_number(group, "memory.peak", "");
  unsigned long long limit = read_number(group, "memory.max", "");
  return (double)(limit > 0 && limit < peak ? limit : peak);
}

bool group_end(pid_t slot, double *peak_bytes)
{
  DIR *directory = parent ? opendir(parent) : NULL;
  if (!directory)
    return false;
  char prefix[32];
  snprintf(prefix, sizeof prefix, "slot-%d.", slot);
  bool found = false, ended = true;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
      continue;
    int group = openat(dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    found = true;
    ended = end_processes(group) && ended;
    double peak = peak_of(group);
    if (peak > *peak_bytes)
      *peak_bytes = peak;
    close(group);
    unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
  }
  closedir(directory);
  return found && ended;
}
