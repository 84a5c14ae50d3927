#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool cutting;

/* ---- starting ---- */

static void begin_followers(struct job *leader);

static void end_unstarted(struct job *job, int error, enum step step)
{
  struct news news = {.type = NEWS_UNSTARTED, .tag = job->tag, .error = error, .step = step};
  news.started_ms = news.exited_ms = epoch_ms();
  output_exited(job, &news, true);
  begin_followers(job);
  job_forget(job);
}

static void cancel(struct job *job)
{
  end_unstarted(job, ECANCELED, STEP_CANCELED);
}

/* What waits for a slot's last job alone is queued there at once, as far as there is room: then it starts without us. */
static void queue_followers(struct job *leader)
{
  while (leader->slot->last == leader && leader->followers && slot_queue(leader->slot, leader->followers)) {
    struct job *follower = job_next_follower(leader);
    leader = follower;
  }
}

static void begin(struct job *job)
{
  int error = slots_begin(job);
  if (error == 0)
    queue_followers(job);
  else
    end_unstarted(job, error, STEP_FORK);
}

static void begin_followers(struct job *leader)
{
  for (struct job *follower; (follower = job_next_follower(leader));)
    begin(follower);
}

void queue_launch(const char *request, size_t length)
{
  struct launch_header header;
  memcpy(&header, request, sizeof header);
  struct job *leader = header.flags & LAUNCH_AFTER ? job_by_tag(header.after) : NULL;
  struct job *job = job_add(header.tag, request, length);
  if (cutting) {
    cancel(job);
  } else if (leader && leader != job) {
    job_follow(job, leader);
    if (leader->slot)
      queue_followers(leader);
  } else {
    begin(job);
  }
}

/* ---- taking back ---- */

void queue_recall(uint32_t tag)
{
  struct job *job = job_by_tag(tag);
  struct job *before = NULL;
  bool back = false;
  if (job && job->stage == HELD) {
    job_unfollow(job);
    back = true;
  } else if (job && job->stage == QUEUED && slot_withdraw(job, &before)) {
    if (before) {
      job_hand_followers(job, before);
      queue_followers(before);
    } else {
      begin_followers(job);
    }
    back = true;
  }
  if (back)
    job_forget(job);
  output_recalled(tag, back);
}

/* ---- signals ---- */

static pid_t signalled_slot; /* 0: all of them */
static int sent_signal;

/* A job's orphans are its slot's children; those that stayed in its group have the signal already. */
static void signal_stray(pid_t pid, pid_t parent, pid_t group)
{
  struct slot *slot = slot_by_pid(parent);
  if (!slot || (signalled_slot != 0 && parent != signalled_slot))
    return;
  if (!slot->first || (pid != slot->first->pid && group != slot->first->pid))
    kill(pid, sent_signal);
}

static void signal_strays(pid_t slot, int signal)
{
  signalled_slot = slot;
  sent_signal = signal;
  processes_each(signal_stray);
}

void queue_signal(uint32_t tag, int signal)
{
  struct job *job = job_by_tag(tag);
  if (!job || job->stage == HELD || job->slot->first != job)
    return;
  if (job->stage == QUEUED) {
    job->signal = signal;
    return;
  }
  kill(-job->pid, signal);
  signal_strays(job->slot->pid, signal);
}

/* ---- news of the slots ---- */

static void handle_start(struct job *job, const struct news *news)
{
  job->stage = RUNNING;
  job->pid = news->pid;
  job->started_ms = news->started_ms;
  free(job->request);
  job->request = NULL;
  output_started(job, news);
  if (cutting || job->signal)
    kill(-job->pid, cutting ? SIGKILL : job->signal);
}

static void handle_end(struct job *job, const struct news *news)
{
  struct slot *slot = job->slot;
  slot->first = job->next_in_slot;
  if (!slot->first)
    slot->last = NULL;
  output_exited(job, news, !slot->first && !job->followers);
  begin_followers(job);
  job_forget(job);
}

void queue_handle(const struct news *news)
{
  struct job *job = slot_by_pid(news->slot)->first;
  if (news->type != NEWS_EXITED && job->entry)
    ring_free(job->slot->ring, job->entry);
  if (news->type == NEWS_STARTED)
    handle_start(job, news);
  else
    handle_end(job, news);
}

/* ---- a slot that was killed ---- */

/* Takes what has not started back, each waiting for the one before as it did in the slot. Returns the first, NULL when there is none. */
static struct job *take_back(struct slot *slot)
{
  struct job *first = NULL, *last = NULL;
  for (struct job *job = slot->first, *next, *before; job; job = next) {
    next = job->next_in_slot;
    if (job->stage != QUEUED || !slot_withdraw(job, &before))
      continue;
    job->stage = HELD;
    if (last)
      job_follow(job, last);
    else
      first = job;
    last = job;
  }
  return first;
}

/* Where the slot died between taking a job and telling that it runs, there was no memory to start it with. */
static void end_killed(struct job *job, double peak_bytes)
{
  if (job->stage != RUNNING) {
    end_unstarted(job, ENOMEM, STEP_FORK);
    return;
  }
  struct news news = {.type = NEWS_EXITED, .tag = job->tag, .status = SIGKILL, .peak_bytes = peak_bytes};
  news.started_ms = job->started_ms;
  news.exited_ms = epoch_ms();
  output_exited(job, &news, true);
  begin_followers(job);
  job_forget(job);
}

void queue_lose(struct slot *slot)
{
  while (slots_read(queue_handle))
    ;
  double peak_bytes = 0;
  if (!group_end(slot->pid, &peak_bytes))
    fail("Cannot go on", "a slot's process was killed");
  struct job *again = take_back(slot);
  struct job *killed = slot->first;
  slot_forget(slot);
  for (struct job *next; killed; killed = next) {
    next = killed->next_in_slot;
    end_killed(killed, peak_bytes);
  }
  if (again)
    begin(again);
}

/* ---- the end of all ---- */

static void cancel_queued(struct slot *slot)
{
  for (struct job *job = slot->first, *next, *before; job; job = next) {
    next = job->next_in_slot;
    if (job->stage == QUEUED && slot_withdraw(job, &before))
      cancel(job);
  }
}

void queue_cancel_waiting(void)
{
  for (struct job *job; (job = jobs_held());) {
    job_unfollow(job);
    cancel(job);
  }
  for (struct slot *slot = slots_all(); slot; slot = slot->next)
    cancel_queued(slot);
}

void queue_cut(void)
{
  cutting = true;
  queue_cancel_waiting();
  /* What is left of a slot runs or is about to: it is killed, now or when it has started. */
  for (struct slot *slot = slots_all(); slot; slot = slot->next)
    for (struct job *job = slot->first; job; job = job->next_in_slot) {
      job->cut = true;
      if (job->stage == RUNNING)
        kill(-job->pid, SIGKILL);
    }
  signal_strays(0, SIGKILL);
}

/* ---- from one runner to the next ---- */

bool queue_is_settled(void)
{
  for (struct slot *slot = slots_all(); slot; slot = slot->next)
    if (slot->first && slot->first->stage != RUNNING)
      return false;
  return true;
}

void queue_each_running(void (*visit)(const struct job *job))
{
  for (struct slot *slot = slots_all(); slot; slot = slot->next)
    if (slot->first)
      visit(slot->first);
}
