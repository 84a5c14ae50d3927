#define _GNU_SOURCE
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line that is longer is printed in pieces. */
#define LONGEST_LINE 65536

/* What was read and is no whole line yet, by the number of the pipe. */
struct part {
  int fd;
  size_t used;
  char *text;
};

static struct part *parts;
static size_t part_count;

static int open_pipe(int *task_end)
{
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    give_up(EXIT_NO_RUNNER, "Cannot make a pipe for labelled output: %s", strerror(errno));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  parts = realloc(parts, (part_count + 1) * sizeof *parts);
  if (!parts)
    give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
  parts[part_count++] = (struct part){.fd = ends[0], .text = allocate(LONGEST_LINE)};
  *task_end = ends[1];
  return ends[0];
}

void labels_open(struct task *task, int *out, int *err)
{
  if (out)
    task->out = open_pipe(out);
  if (err)
    task->err = open_pipe(err);
}

static void write_all(int fd, const char *text, size_t length)
{
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written < 0 && errno == EINTR)
      continue;
    /* Nobody reads it: what the task writes is read all the same, so that it does not hang. */
    if (written <= 0)
      return;
    text += written;
    length -= (size_t)written;
  }
}

/* In one write, so that the lines of several of us do not mix. */
static void print_line(int to, unsigned rank, const char *line, size_t length)
{
  static char text[LONGEST_LINE + 32];
  size_t used = (size_t)sprintf(text, "[%u] ", rank);
  memcpy(text + used, line, length);
  used += length;
  text[used++] = '\n';
  write_all(to, text, used);
}

static void print_lines(struct part *part, int to, unsigned rank)
{
  char *line = part->text;
  for (char *end; (end = memchr(line, '\n', part->used - (size_t)(line - part->text)));) {
    print_line(to, rank, line, (size_t)(end - line));
    line = end + 1;
  }
  part->used -= (size_t)(line - part->text);
  memmove(part->text, line, part->used);
  if (part->used == LONGEST_LINE) {
    print_line(to, rank, part->text, part->used);
    part->used = 0;
  }
}

static struct part *find_part(int fd)
{
  size_t i = 0;
  while (parts[i].fd != fd)
    i++;
  return &parts[i];
}

/* Reads what is there; closes the pipe at its end. */
static void drain(int *fd, int to, unsigned rank, bool last)
{
  if (*fd < 0)
    return;
  struct part *part = find_part(*fd);
  ssize_t length;
  while ((length = read(*fd, part->text + part->used, LONGEST_LINE - part->used)) > 0) {
    part->used += (size_t)length;
    print_lines(part, to, rank);
  }
  bool ended = length == 0 || last;
  if (ended && part->used > 0)
    print_line(to, rank, part->text, part->used);
  if (ended) {
    close(*fd);
    free(part->text);
    *part = (struct part){.fd = -1};
    *fd = -1;
  }
}

void labels_print(struct task *task, bool last)
{
  drain(&task->out, STDOUT_FILENO, task->rank, last);
  drain(&task->err, STDERR_FILENO, task->rank, last);
}
