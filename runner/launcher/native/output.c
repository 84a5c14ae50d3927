#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPORTS 1 /* the runner's pipe */
#define GATHER_MS 15 /* reports wait at most so long for company while no slot is free */

static int journal = -1;
static const char *id;
static long ticks_per_second;
static struct bytes records;
static struct bytes reports;
static bool disk_is_full;
static bool reader_is_slow;
static bool urgent; /* a report that must not wait is among those not sent */
static uint64_t gathering_since; /* since boot, 0 while none waits */

void fail(const char *what, const char *value)
{
  dprintf(2, "%s: %s\n", what, value);
  _exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double epoch_ms(void)
{
  return (double)now_ns(CLOCK_REALTIME) / 1e6;
}

/* The clock of /proc/PID/stat's start time; it goes on while the machine sleeps. */
uint64_t boot_ns(void)
{
  return now_ns(CLOCK_BOOTTIME);
}

void output_open(const char *path, const char *launcher_id)
{
  id = launcher_id;
  ticks_per_second = sysconf(_SC_CLK_TCK);
  journal = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
  if (journal < 0)
    fail("Cannot open the journal", strerror(errno));
  /* A runner that does not read for a while must not keep us from reaping. */
  fcntl(REPORTS, F_SETFL, fcntl(REPORTS, F_GETFL) | O_NONBLOCK);
}

/* ---- records: lines of text, each closed by the length of what stands before ---- */

/* Almost every record fits; a longer one is written twice. */
#define USUAL_RECORD 512
#define LENGTH_ROOM 32

__attribute__((format(printf, 1, 2))) static void add_record(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  char *line = bytes_reserve(&records, USUAL_RECORD + LENGTH_ROOM);
  int length = vsnprintf(line, USUAL_RECORD, format, arguments);
  if (length >= USUAL_RECORD) {
    line = bytes_reserve(&records, (size_t)length + LENGTH_ROOM);
    vsnprintf(line, (size_t)length + 1, format, again);
  }
  va_end(arguments);
  va_end(again);
  records.used += (size_t)(length + snprintf(line + length, LENGTH_ROOM, " #%d\n", length));
}

static unsigned long long ticks(uint64_t ns)
{
  return (unsigned long long)(ns / (1000000000u / (uint64_t)ticks_per_second));
}

/* Of a job that never ran the moments are 0: no process is to be looked for. */
static void record_start(const struct job *job, const struct news *news, uint64_t before_ns, uint64_t after_ns)
{
  add_record("S %s %u %d %llu %llu %.3f %s", id, job->tag, (int)news->pid, ticks(before_ns), ticks(after_ns),
             news->started_ms, job->label);
}

/* ---- reports: the frames of wire.ts ---- */

static void add_u32(uint32_t value)
{
  bytes_add(&reports, &value, sizeof value);
}

static void add_double(double value)
{
  bytes_add(&reports, &value, sizeof value);
}

static void begin_report(enum report_type type, uint32_t length)
{
  add_u32(length);
  add_u32(type);
}

void output_hello(void)
{
  urgent = true;
  begin_report(REPORT_HELLO, 8);
  add_u32(WIRE_VERSION);
}

static void report_start(const struct job *job, pid_t pid, double started_ms)
{
  begin_report(REPORT_STARTED, 20);
  add_u32(job->tag);
  add_u32((uint32_t)pid);
  add_double(started_ms);
}

void output_started(const struct job *job, const struct news *news)
{
  record_start(job, news, news->before_ns, news->after_ns);
  report_start(job, news->pid, news->started_ms);
}

/* When it started stands in the journal. */
void output_running(const struct job *job)
{
  report_start(job, job->pid, 0);
}

void output_exited(const struct job *job, const struct news *news, bool is_urgent)
{
  bool ran = news->type == NEWS_EXITED;
  int code = ran && WIFEXITED(news->status) ? WEXITSTATUS(news->status) : -1;
  int signal = ran && WIFSIGNALED(news->status) ? WTERMSIG(news->status) : 0;
  /* It may have ended by itself just before we killed it: then its exit is a result. */
  bool cut = job->cut && signal == SIGKILL;
  if (!ran && news->step != STEP_CANCELED)
    record_start(job, news, 0, 0);
  if (news->step != STEP_CANCELED)
    add_record("E %s %u %d %d %d %d %.3f %.3f %.3f %.3f %.0f %u %d", id, job->tag, code, signal, news->error,
               (int)news->step, news->started_ms, news->exited_ms, news->user_ms, news->system_ms, news->peak_bytes,
               news->strays, cut ? 1 : 0);
  urgent = urgent || is_urgent;
  begin_report(REPORT_EXITED, 68);
  add_u32(job->tag);
  add_u32((uint32_t)code);
  add_u32((uint32_t)signal);
  add_u32((uint32_t)news->error);
  add_u32(news->step);
  add_u32(news->strays);
  add_double(news->started_ms);
  add_double(news->exited_ms);
  add_double(news->user_ms);
  add_double(news->system_ms);
  add_double(news->peak_bytes);
}

void output_recalled(uint32_t tag, bool recalled)
{
  urgent = true;
  begin_report(REPORT_RECALLED, 12);
  add_u32(tag);
  add_u32(recalled ? 1 : 0);
}

/* ---- writing ---- */

/*
 * Reports gather while every ended job had a follower: the slots are busy, so a few milliseconds cost nothing and one wake-up of
 * the runner serves many jobs. The journal is never held back.
 */
static int gather_ms(void)
{
  if (reports.used == 0 || urgent)
    return 0;
  uint64_t now = boot_ns();
  if (gathering_since == 0)
    gathering_since = now;
  uint64_t passed_ms = (now - gathering_since) / 1000000u;
  return passed_ms >= GATHER_MS ? 0 : (int)(GATHER_MS - passed_ms);
}

int output_gather_ms(void)
{
  return reports.used == 0 ? -1 : gather_ms();
}

static void flush_records(void)
{
  disk_is_full = false;
  while (records.used > 0) {
    ssize_t written = write(journal, records.data, records.used);
    if (written >= 0) {
      bytes_drop_front(&records, (size_t)written);
    } else if (errno == ENOSPC || errno == EDQUOT) {
      disk_is_full = true;
      return;
    } else if (errno != EINTR) {
      fail("Cannot write the journal", strerror(errno));
    }
  }
}

bool output_flush(bool hurry)
{
  flush_records();
  reader_is_slow = false;
  if (!hurry && gather_ms() > 0)
    return true;
  urgent = false;
  gathering_since = 0;
  /* What the journal does not hold yet must not be reported: a restart would not know of it. */
  while (!disk_is_full && reports.used > 0) {
    ssize_t written = write(REPORTS, reports.data, reports.used);
    if (written >= 0) {
      bytes_drop_front(&reports, (size_t)written);
    } else if (errno == EAGAIN) {
      reader_is_slow = true;
      return true;
    } else if (errno != EINTR) {
      reports.used = 0;
      return false;
    }
  }
  return true;
}

bool output_waits_for_reader(void)
{
  return reader_is_slow;
}

bool output_waits_for_disk(void)
{
  return disk_is_full;
}

bool output_is_empty(void)
{
  return records.used == 0 && reports.used == 0;
}

void output_forget_reports(void)
{
  reports.used = 0;
  urgent = false;
  reader_is_slow = false;
  gathering_since = 0;
}
