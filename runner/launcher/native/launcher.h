/*
 * The native launcher: a small resident process that starts jobs for a runner, so that the runner never forks itself.
 *
 * Each job runs below a slot: a process of the launcher's that starts one job after the other and waits for it. So slots start
 * their jobs side by side, a slot's next job starts without a word from anybody, and whatever a job leaves behind becomes a child of
 * its own slot: nobody has to ask whose it is.
 *
 *   launcher.c  the launcher's loop: requests in, slots' news in, records and reports out
 *   jobs.c      the launches that the launcher knows, by tag, and which waits for which
 *   queue.c     which job goes to which slot; recall, signals, the end of all
 *   slots.c     the slots as the launcher sees them
 *   ring.c      memory that the launcher shares with one slot: launches on their way
 *   slot.c      the slot's own program
 *   group.c     a slot's cgroup, which limits the memory of its jobs
 *   start.c     in the slot: files, environment, vfork, exec
 *   end.c       in the slot: reaping a job and what it left behind
 *   processes.c looking for processes by their parent
 *   orphan.c    without a runner: waiting for the next one
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

#define WIRE_VERSION 2
#define MARK_NAME "HEADRACE_LAUNCH"

enum request_type { REQUEST_LAUNCH = 1, REQUEST_SIGNAL = 2, REQUEST_RECALL = 3, REQUEST_CLOSE = 4, REQUEST_KEEP = 5 };
enum report_type { REPORT_HELLO = 1, REPORT_STARTED = 2, REPORT_EXITED = 3, REPORT_RECALLED = 4 };
enum launch_flag { LAUNCH_COMBINED = 1, LAUNCH_AFTER = 2 };
enum step { STEP_NONE = 0, STEP_STDOUT = 1, STEP_STDERR = 2, STEP_CWD = 3, STEP_CPUS = 4, STEP_FORK = 5, STEP_EXEC = 6, STEP_CANCELED = 7 };

/* What follows the length of a launch frame; the strings come after the CPU numbers. */
struct launch_header {
  uint32_t type, tag, flags, after, argc, envc, cpuc;
  uint32_t memory_mib; /* 0: no limit */
};

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

/* ---- ring.c ---- */

struct ring;

/* A launch in a ring. It is taken by the slot or withdrawn by the launcher, whoever is first. */
struct entry;

struct ring *ring_open(void);
/* Puts a launch in, for the launcher. NULL when there is no room: its length is more than is free now. */
struct entry *ring_put(struct ring *ring, const char *request, size_t length);
/* Whether the slot has not taken it yet; then it never will. */
bool ring_withdraw(struct entry *entry);
/* Gives back the room up to and with this entry, for the launcher, once the slot has said that it is done with it. */
void ring_free(struct ring *ring, struct entry *entry);
/* The next launch, for the slot; NULL when there is none now. */
const char *ring_take(struct ring *ring);
/* Waits until there may be one, for the slot. */
void ring_wait(struct ring *ring);
void ring_close(struct ring *ring);

/* ---- slot.c ---- */

enum news_type { NEWS_STARTED, NEWS_UNSTARTED, NEWS_EXITED };

/* What a slot tells the launcher: small enough for a pipe to keep it whole. */
struct news {
  enum news_type type;
  uint32_t tag;
  pid_t slot;
  pid_t pid;
  int error; /* an errno, of the step that failed */
  enum step step;
  int status; /* as wait4 gives it */
  unsigned strays;
  uint64_t before_ns, after_ns; /* since boot: the process began between them */
  double started_ms, exited_ms; /* since the epoch */
  double user_ms, system_ms, peak_bytes;
};

/* The program of a slot: `first`, then whatever comes through the ring. */
_Noreturn void slot_run(pid_t launcher, struct ring *ring, int news, const char *first);

/* ---- group.c ---- */

/* Names the cgroup below which slots have theirs. */
void group_open(const char *directory);
/* In the slot: what it starts from now on may take this much memory together; 0: any. Does nothing where there are no groups. */
void group_limit(uint32_t mib);
/*
 * In the launcher: ends what a slot that was killed has left in its groups, and removes them. False when it had none: then nobody knows what
 * still runs. `peak_bytes` is what its last job held at most, 0: not known.
 */
bool group_end(pid_t slot, double *peak_bytes);
/*
 * In the launcher, when its runner is gone: jobs that run go on without limits. A group that hands limits on takes no process, so that nobody
 * could start the next runner where this one was, as systemd does.
 */
void group_give_back(void);

/* ---- start.c ---- */

void start_open(const char *launcher_id);
/* Starts a launch frame's program; fills in how that went. */
void start_job(const char *request, struct news *news);
/* Whether a launch frame's counts and strings agree with its length. */
bool launch_is_sound(const char *request, size_t length);
/* A launch frame's label, within the frame. */
const char *launch_label(const char *request);

/* ---- end.c ---- */

/* Waits for the end of a started job, ends what it left behind, and fills in what the kernel says of it. */
void await_end(struct news *news);

/* ---- processes.c ---- */

/* Calls `visit` for every process that can be seen, with its parent and its group. */
void processes_each(void (*visit)(pid_t pid, pid_t parent, pid_t group));

/* ---- jobs.c ---- */

/* held by the launcher → queued in a slot's ring → running → forgotten */
enum stage { HELD, QUEUED, RUNNING };

struct job {
  uint32_t tag;
  enum stage stage;
  pid_t pid;
  double started_ms; /* of a running one, since the epoch */
  bool cut; /* ended by the launcher's own end: its exit is no result */
  int signal; /* arrived while the slot was about to start it; 0: none */
  char *label;
  char *request; /* its launch frame, until it runs */
  size_t length;
  struct slot *slot; /* of a queued or running one */
  struct entry *entry; /* NULL: the slot was made for it */
  struct job *next_in_slot;
  struct job *leader; /* of a held job: the one it waits for */
  struct job *followers; /* held jobs that wait for this one, in order */
  struct job *next_follower;
  struct job *next_same_hash;
};

struct job *job_add(uint32_t tag, const char *request, size_t length);
struct job *job_by_tag(uint32_t tag);
void job_follow(struct job *job, struct job *leader);
/* Takes a held job out of its leader's followers; its own followers wait for that leader instead. */
void job_unfollow(struct job *job);
/* Hands all followers of one job to another, behind its own. */
void job_hand_followers(struct job *from, struct job *to);
/* Takes the first follower away and returns it, NULL when there is none. */
struct job *job_next_follower(struct job *leader);
void job_forget(struct job *job);
bool jobs_left(void);
/* Any job that is held, NULL when there is none. */
struct job *jobs_held(void);

/* ---- slots.c ---- */

struct slot {
  pid_t pid;
  struct ring *ring;
  struct job *first, *last; /* what runs or is queued here, in order */
  struct slot *next;
};

void slots_open(void);
/* The first slot; the others follow by `next`. */
struct slot *slots_all(void);
struct slot *slot_by_pid(pid_t pid);
/* Queues a held job behind what the slot has. False when its ring has no room. */
bool slot_queue(struct slot *slot, struct job *job);
/* Gives a held job to an idle slot, or to a new one. Returns 0, or an errno when there can be no more processes. */
int slots_begin(struct job *job);
/* Takes a queued job back; false when the slot was faster. Returns the job before it, NULL when it was the first. */
bool slot_withdraw(struct job *job, struct job **before);
/* The descriptor that is readable when a slot has news. */
int slots_news(void);
/* Reads what the slots have to say. False when they had nothing. */
bool slots_read(void (*handle)(const struct news *news));
/* Calls `lose` for each slot whose process has died: what it has told is still to be read. */
void slots_check(void (*lose)(struct slot *slot));
/* A slot that has no jobs any more. */
void slot_forget(struct slot *slot);

/* ---- queue.c ---- */

void queue_launch(const char *request, size_t length);
void queue_recall(uint32_t tag);
void queue_signal(uint32_t tag, int signal);
/* Cancels what has not started. */
void queue_cancel_waiting(void);
/* The same, and kills the rest, from now on. */
void queue_cut(void);
/* Whether nothing is about to start: all that is left runs. */
bool queue_is_settled(void);
/* Calls `visit` for every job that runs. */
void queue_each_running(void (*visit)(const struct job *job));
void queue_handle(const struct news *news);
/*
 * A slot's process was killed. Its job has died with it, and what was queued behind starts elsewhere. Fails where nobody knows what the job has
 * left: the next start of the launcher finds out.
 */
void queue_lose(struct slot *slot);

/* ---- orphan.c ---- */

/* Lets a later runner find us for so long after ours has gone; 0: none does. */
void orphan_open(const char *id, uint64_t patience_ms);
/* The runner is gone. False when nobody is waited for. */
bool orphan_begin(void);
/* Whether there is no runner now. */
bool orphan_waits(void);
/* The descriptor that is readable when one comes, -1 while there is one. */
int orphan_socket(void);
/* For how many ms the jobs may go on without a runner that answers for them, -1: no end. */
int orphan_left_ms(void);
/* Lets a runner of the same user in: it has the requests and the reports from now on. */
bool orphan_adopt(void);
/* The new runner answers for the jobs. */
void orphan_keep(void);

/* ---- output.c ---- */

void output_open(const char *journal, const char *launcher_id);
void output_hello(void);
void output_started(const struct job *job, const struct news *news);
/* Tells a new runner of a job that runs: it stands in the journal already. */
void output_running(const struct job *job);
/* `is_urgent`: nothing follows, a slot is free, and the runner has to know at once. */
void output_exited(const struct job *job, const struct news *news, bool is_urgent);
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
/* Nobody is there to read them. */
void output_forget_reports(void);
/* Says why on the error stream and exits. */
_Noreturn void fail(const char *what, const char *value);

double epoch_ms(void);
uint64_t boot_ns(void);

#endif
