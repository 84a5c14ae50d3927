/*
 * The native launcher: a small resident process that starts jobs for a runner, so that the runner never forks itself.
 *
 *   launcher.c  the loop: requests in, exits noticed, records and reports out
 *   jobs.c      the launches this process knows, by tag and by process
 *   start.c     one process: files, environment, vfork, exec
 *   end.c       one process: reaping, its group, its report
 *   strays.c    processes that left their job's group
 *   output.c    the journal and the reports, written in this order
 *   bytes.c     a buffer that grows
 *
 * The frames are described in runner/launcher/wire.ts, the journal's lines in runner/launcher/journal.ts.
 */
#ifndef HEADRACE_LAUNCHER_H
#define HEADRACE_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_VERSION 1
#define MARK_NAME "HEADRACE_LAUNCH"

enum request_type { REQUEST_LAUNCH = 1, REQUEST_SIGNAL = 2, REQUEST_RECALL = 3, REQUEST_CLOSE = 4 };
enum report_type { REPORT_HELLO = 1, REPORT_STARTED = 2, REPORT_EXITED = 3, REPORT_RECALLED = 4 };
enum launch_flag { LAUNCH_COMBINED = 1, LAUNCH_AFTER = 2 };
enum step { STEP_NONE = 0, STEP_STDOUT = 1, STEP_STDERR = 2, STEP_CWD = 3, STEP_CPUS = 4, STEP_FORK = 5, STEP_EXEC = 6, STEP_CANCELED = 7 };

/* ---- bytes.c ---- */

struct bytes {
  char *data;
  size_t used;
  size_t room;
};

void bytes_add(struct bytes *bytes, const void *data, size_t length);
/* Makes room for `length` more bytes and returns where they go; the caller adds to `used` what it wrote. */
char *bytes_reserve(struct bytes *bytes, size_t length);
void bytes_drop_front(struct bytes *bytes, size_t length);
/* malloc that ends the process when there is no memory: a launcher that cannot keep its books must not go on. */
void *allocate(size_t size);

/* ---- jobs.c ---- */

/* waiting for its predecessor → running → ending (its main process is gone, others may be left) → forgotten */
enum stage { WAITING, RUNNING, ENDING };

struct job {
  uint32_t tag;
  enum stage stage;
  pid_t pid;
  double started_ms; /* since the epoch */
  uint64_t started_ns; /* since boot */
  double exited_ms;
  int status; /* as wait4 gives it */
  double user_ms;
  double system_ms;
  double peak_bytes;
  unsigned strays;
  unsigned looks; /* how often an ending job was found not yet gone */
  bool cut; /* ended by the launcher's own end: its exit is no result */
  char *request; /* of a waiting job: its launch frame */
  struct job *leader; /* of a waiting job: the one it waits for */
  struct job *followers; /* jobs that wait for this one, in order */
  struct job *next_follower;
  struct job *next_same_hash;
  struct job *previous, *next; /* among those running or ending */
};

struct job *job_add(uint32_t tag);
struct job *job_by_tag(uint32_t tag);
struct job *job_by_pid(pid_t pid);
/* The first job that runs or ends; the others follow by `next`. */
struct job *jobs_running(void);
void job_set_running(struct job *job, pid_t pid);
void job_follow(struct job *job, struct job *leader);
/* Takes a waiting job out of its leader's followers; its own followers wait for that leader instead. */
void job_unfollow(struct job *job);
void job_forget(struct job *job);
bool jobs_left(void);

/* ---- start.c ---- */

void starter_open(const char *launcher_id);
/* Starts a launch frame's program as this job, now. A job that cannot be started ends at once, with the error in its report. */
void start_job(struct job *job, const char *request);
/* Whether a launch frame's counts and strings agree with its length. */
bool launch_is_sound(const char *request, size_t length);

/* ---- end.c ---- */

/* Reaps every process that has ended. */
void reap_processes(void);
/* Reports the ending jobs that are wholly gone. Returns for how many ms to wait before looking again, -1 when there is no need. */
int end_jobs(void);
/* Reports a job that never ran, with an errno and the step that failed. Without a label nothing is put in the journal. */
void end_unstarted(struct job *job, int error, enum step step, const char *label);
/* Starts what waited for the jobs that have ended. */
void start_followers(void);
void signal_job(struct job *job, int signal);
/* Kills every job and drops those that wait. */
void cut_jobs(void);

/* ---- strays.c ---- */

void strays_open(const char *launcher_id);
/* Learns of processes that were re-parented to us since the last look. Cheap when there are none. */
void strays_look(void);
/* Sends a signal to a job's known strays; returns how many there are. */
unsigned strays_signal(uint32_t tag, int signal);
/* How many adopted processes could not be read yet, so that nobody knows whose they are. */
unsigned strays_undecided(void);
/* Forgets a reaped process; true and its job's tag when it was a known stray. */
bool strays_forget(pid_t pid, uint32_t *tag);
/* Kills and reaps every adopted process, whoever it belongs to. */
void strays_end_all(void);

/* ---- output.c ---- */

void output_open(const char *journal, const char *launcher_id);
void output_hello(void);
void output_started(const struct job *job, uint64_t before_ns, uint64_t after_ns, const char *label);
void output_exited(const struct job *job, int error, enum step step, const char *label);
void output_recalled(uint32_t tag, bool recalled);
/*
 * Writes the journal, then the reports, which may gather for a while unless in a hurry. A full disk holds both back. Returns false
 * when the runner no longer reads.
 */
bool output_flush(bool hurry);
/* For how many ms the reports may still gather, -1 when there are none. */
int output_gather_ms(void);
/* Whether reports wait for the runner to read. */
bool output_waits_for_reader(void);
/* Whether records wait for room on the disk. */
bool output_waits_for_disk(void);
bool output_is_empty(void);
/* Says why on the error stream and exits. */
_Noreturn void fail(const char *what, const char *value);

double epoch_ms(void);
uint64_t boot_ns(void);

#endif
