#include "launcher.h"

#include <stdlib.h>
#include <string.h>

/* Held work may be thousands of waiting launches; running ones are as few as the node has cores and are searched in a row. */
#define BUCKETS 4096

static struct job *by_tag[BUCKETS];
static struct job *running;
static size_t count;

struct job *job_add(uint32_t tag)
{
  struct job *job = allocate(sizeof *job);
  memset(job, 0, sizeof *job);
  job->tag = tag;
  job->stage = WAITING;
  job->next_same_hash = by_tag[tag % BUCKETS];
  by_tag[tag % BUCKETS] = job;
  count++;
  return job;
}

struct job *job_by_tag(uint32_t tag)
{
  struct job *job = by_tag[tag % BUCKETS];
  while (job && job->tag != tag)
    job = job->next_same_hash;
  return job;
}

struct job *job_by_pid(pid_t pid)
{
  struct job *job = running;
  while (job && job->pid != pid)
    job = job->next;
  return job;
}

struct job *jobs_running(void)
{
  return running;
}

void job_set_running(struct job *job, pid_t pid)
{
  job->stage = RUNNING;
  job->pid = pid;
  job->previous = NULL;
  job->next = running;
  if (running)
    running->previous = job;
  running = job;
}

static void append_followers(struct job *leader, struct job *first)
{
  struct job **end = &leader->followers;
  while (*end)
    end = &(*end)->next_follower;
  *end = first;
  for (; first; first = first->next_follower)
    first->leader = leader;
}

void job_follow(struct job *job, struct job *leader)
{
  job->next_follower = NULL;
  append_followers(leader, job);
}

void job_unfollow(struct job *job)
{
  struct job *leader = job->leader;
  struct job **link = &leader->followers;
  while (*link != job)
    link = &(*link)->next_follower;
  *link = job->next_follower;
  append_followers(leader, job->followers);
  job->followers = NULL;
  job->leader = NULL;
}

void job_forget(struct job *job)
{
  struct job **link = &by_tag[job->tag % BUCKETS];
  while (*link != job)
    link = &(*link)->next_same_hash;
  *link = job->next_same_hash;
  if (job->stage != WAITING) {
    if (job->previous)
      job->previous->next = job->next;
    else
      running = job->next;
    if (job->next)
      job->next->previous = job->previous;
  }
  count--;
  free(job->request);
  free(job);
}

bool jobs_left(void)
{
  return count > 0;
}
