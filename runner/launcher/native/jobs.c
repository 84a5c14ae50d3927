#define _GNU_SOURCE
#include "launcher.h"

#include <stdlib.h>
#include <string.h>

/* Held work may be thousands of launches. */
#define BUCKETS 4096

static struct job *by_tag[BUCKETS];
static size_t count;

struct job *job_add(uint32_t tag, const char *request, size_t length)
{
  struct job *job = allocate(sizeof *job);
  memset(job, 0, sizeof *job);
  job->tag = tag;
  job->stage = HELD;
  job->label = strdup(launch_label(request));
  job->request = allocate(length);
  memcpy(job->request, request, length);
  job->length = length;
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

void job_hand_followers(struct job *from, struct job *to)
{
  append_followers(to, from->followers);
  from->followers = NULL;
}

void job_unfollow(struct job *job)
{
  struct job *leader = job->leader;
  struct job **link = &leader->followers;
  while (*link != job)
    link = &(*link)->next_follower;
  *link = job->next_follower;
  job->leader = NULL;
  job_hand_followers(job, leader);
}

struct job *job_next_follower(struct job *leader)
{
  struct job *job = leader->followers;
  if (job) {
    leader->followers = job->next_follower;
    job->leader = NULL;
  }
  return job;
}

void job_forget(struct job *job)
{
  struct job **link = &by_tag[job->tag % BUCKETS];
  while (*link != job)
    link = &(*link)->next_same_hash;
  *link = job->next_same_hash;
  count--;
  free(job->label);
  free(job->request);
  free(job);
}

bool jobs_left(void)
{
  return count > 0;
}

struct job *jobs_held(void)
{
  for (size_t i = 0; i < BUCKETS; i++)
    for (struct job *job = by_tag[i]; job; job = job->next_same_hash)
      if (job->stage == HELD)
        return job;
  return NULL;
}
