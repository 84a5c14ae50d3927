#define _GNU_SOURCE
#include "launcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_PER_MIB (1ull << 20)

static const char *parent; /* NULL: there are no groups here */
static bool is_inside;
static uint32_t limit_mib; /* 0: none */

void group_open(const char *directory)
{
  parent = directory;
}

/* Tells false when the kernel does not take it. A file that is not there is made, as no kernel does: so a plain directory can stand for one. */
static bool write_word(const char *name, const char *word)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/slot-%d/%s", parent, getpid(), name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return false;
  bool written = write(fd, word, strlen(word)) == (ssize_t)strlen(word);
  close(fd);
  return written;
}

/* The slot goes in itself, and with it every job from now on: moving a job's process would cost milliseconds for each. */
static bool enter(void)
{
  char path[4096], pid[16];
  snprintf(path, sizeof path, "%s/slot-%d", parent, getpid());
  snprintf(pid, sizeof pid, "%d", getpid());
  mkdir(path, 0755);
  if (!write_word("cgroup.procs", pid))
    return false;
  /* What may be swapped is no limit; kernels without swap have no such file. */
  write_word("memory.swap.max", "0");
  return true;
}

void group_limit(uint32_t mib)
{
  if (!parent || mib == limit_mib)
    return;
  if (!is_inside && !enter()) {
    parent = NULL;
    return;
  }
  is_inside = true;
  char word[24] = "max";
  if (mib > 0)
    snprintf(word, sizeof word, "%llu", mib * BYTES_PER_MIB);
  write_word("memory.max", word);
  limit_mib = mib;
}
