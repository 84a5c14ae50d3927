#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEWS_AT_ONCE 64

static struct slot *slots;
static int news_in, news_out;

void slots_open(void)
{
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0)
    fail("Cannot open a pipe", strerror(errno));
  news_in = pipe_ends[0];
  news_out = pipe_ends[1];
  fcntl(news_in, F_SETFL, O_NONBLOCK);
}

struct slot *slots_all(void)
{
  return slots;
}

struct slot *slot_by_pid(pid_t pid)
{
  struct slot *slot = slots;
  while (slot && slot->pid != pid)
    slot = slot->next;
  return slot;
}

/* ---- giving ---- */

static void append(struct slot *slot, struct job *job, struct entry *entry)
{
  job->stage = QUEUED;
  job->slot = slot;
  job->entry = entry;
  job->next_in_slot = NULL;
  if (slot->last)
    slot->last->next_in_slot = job;
  else
    slot->first = job;
  slot->last = job;
}

bool slot_queue(struct slot *slot, struct job *job)
{
  struct entry *entry = ring_put(slot->ring, job->request, job->length);
  if (entry)
    append(slot, job, entry);
  return entry != NULL;
}

static int open_slot(struct job *job)
{
  struct slot *slot = allocate(sizeof *slot);
  *slot = (struct slot){.ring = ring_open(), .next = slots};
  pid_t launcher = getpid();
  slot->pid = fork();
  if (slot->pid == 0)
    slot_run(launcher, slot->ring, news_out, job->request);
  if (slot->pid < 0) {
    int error = errno;
    ring_close(slot->ring);
    free(slot);
    return error;
  }
  slots = slot;
  append(slot, job, NULL);
  return 0;
}

void slot_forget(struct slot *slot)
{
  struct slot **link = &slots;
  while (*link != slot)
    link = &(*link)->next;
  *link = slot->next;
  ring_close(slot->ring);
  free(slot);
}

/* An idle slot whose ring has no room for the launch goes, and a new one begins with it. */
static void dismiss(struct slot *slot)
{
  kill(slot->pid, SIGKILL);
  slot_forget(slot);
}

int slots_begin(struct job *job)
{
  struct slot *idle = slots;
  while (idle && idle->first)
    idle = idle->next;
  if (idle && slot_queue(idle, job))
    return 0;
  if (idle)
    dismiss(idle);
  return open_slot(job);
}

/* ---- taking back ---- */

bool slot_withdraw(struct job *job, struct job **before)
{
  if (!job->entry || !ring_withdraw(job->entry))
    return false;
  struct slot *slot = job->slot;
  *before = NULL;
  struct job **link = &slot->first;
  while (*link != job) {
    *before = *link;
    link = &(*link)->next_in_slot;
  }
  *link = job->next_in_slot;
  if (slot->last == job)
    slot->last = *before;
  job->slot = NULL;
  return true;
}

/* ---- news ---- */

int slots_news(void)
{
  return news_in;
}

bool slots_read(void (*handle)(const struct news *news))
{
  struct news news[NEWS_AT_ONCE];
  ssize_t length = read(news_in, news, sizeof news);
  for (ssize_t i = 0; i < length / (ssize_t)sizeof *news; i++)
    handle(&news[i]);
  return length > 0;
}

void slots_check(void (*lose)(struct slot *slot))
{
  for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
    struct slot *slot = slot_by_pid(pid);
    if (slot)
      lose(slot);
  }
}
