#define _GNU_SOURCE
#include "launcher.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process's name is at most 15 bytes long, so that the fields we want are among the first. */
#define STAT_BYTES 256

static bool read_family(int directory, const char *pid, pid_t *parent, pid_t *group)
{
  char path[64];
  char text[STAT_BYTES + 1];
  snprintf(path, sizeof path, "%s/stat", pid);
  int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t length = read(fd, text, STAT_BYTES);
  close(fd);
  if (length <= 0)
    return false;
  text[length] = '\0';
  /* The program's name stands in brackets and may hold brackets itself: the state follows the last one. */
  const char *name_end = strrchr(text, ')');
  return name_end && sscanf(name_end + 1, " %*c %d %d", parent, group) == 2;
}

void processes_each(void (*visit)(pid_t pid, pid_t parent, pid_t group))
{
  DIR *proc = opendir("/proc");
  if (!proc)
    return;
  for (struct dirent *entry; (entry = readdir(proc));) {
    pid_t parent, group;
    if (isdigit((unsigned char)entry->d_name[0]) && read_family(dirfd(proc), entry->d_name, &parent, &group))
      visit((pid_t)atol(entry->d_name), parent, group);
  }
  closedir(proc);
}
