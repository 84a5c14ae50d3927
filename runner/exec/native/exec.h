/*
 * hr-exec: asks the node's resident part for cores, starts a command with its own terminal, streams and signals, and returns its exit code.
 *
 *   hr-exec.c   the way of one launch
 *   options.c   the command line
 *   node.c      talking to the resident part
 *   tasks.c     starting the tasks
 *   watch.c     what happens while they run
 *   labels.c    output line by line with the rank in front
 *   gate.c      a program of its own: the resident part's side of the socket
 *
 * The lines that are spoken are described in runner/exec/protocol.ts.
 */
#ifndef HEADRACE_EXEC_H
#define HEADRACE_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What hr-exec itself ends with; everything else comes from the command. */
enum exit_code {
  EXIT_USAGE = 2,
  EXIT_TIMEOUT = 124, /* as timeout(1) */
  EXIT_NO_RUNNER = 125,
  EXIT_NOT_EXECUTABLE = 126, /* as shells do */
  EXIT_NOT_FOUND = 127,
  EXIT_SIGNAL = 128, /* plus the signal */
};

/* One of the programs that `:` separates. */
struct program {
  unsigned tasks;
  unsigned cpus; /* of each task */
  const char *directory;
  const char **settings; /* NAME=VALUE, NULL at the end */
  char **argv;
};

struct options {
  struct program *programs;
  unsigned program_count;
  const char **settings; /* for all programs */
  unsigned gpus; /* of the whole launch, as the memory */
  uint64_t memory_bytes;
  uint64_t timeout_ms; /* 0: none */
  bool labels;
  bool bind;
  bool keep_going;
  bool status;
  const char *record; /* a workflow's id, "none", or "-" for what the resident part does by itself */
  const char *out_pattern, *err_pattern;
};

/* What the resident part lent. */
struct grant {
  char id[64];
  bool bind; /* the cores are this machine's */
  unsigned *cores;
  unsigned core_count; /* 0 where cores are shared on purpose */
  char *cores_text; /* "-" for none, as the GPUs */
  char *gpus_text;
};

struct task {
  pid_t pid; /* 0 when it was never started, or has ended */
  unsigned rank;
  bool ended_by_us;
  int out, err; /* our ends of its pipes, -1 without labels */
};

struct launch {
  const struct options *options;
  struct grant grant;
  struct task *tasks;
  unsigned task_count;
  pid_t group; /* of the tasks; 0 when they are in ours, in front of the terminal */
  int code; /* highest so far */
  double started_ms, exited_ms;
  double user_ms, system_ms, peak_bytes;
};

/* ---- hr-exec.c ---- */

/* Says one line on the error stream and exits. */
_Noreturn void give_up(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says one line on the error stream. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* malloc that gives up when there is no memory. */
void *allocate(size_t size);
double epoch_ms(void);

/* ---- options.c ---- */

void read_options(struct options *options, int argc, char **argv);
unsigned count_tasks(const struct options *options);

/* ---- node.c ---- */

/* Waits in the queue until the resident part lends what is needed; gives up when there is none, or it refuses. */
void ask_for_grant(struct launch *launch);
/* Tells which group the tasks are in, so that they are ended if we cannot do it. */
void tell_start(const struct launch *launch);
void tell_end(const struct launch *launch);
/* Prints what the resident part says of itself, as JSON. */
void print_status(void);
/* What to poll for the resident part's end; -1 when it is away. */
int node_fd(void);
/* To be called when node_fd() is readable: it never speaks while tasks run, so this is its end. */
void note_node_end(void);
/* Tries to find the resident part's successor, and tells it what we hold. */
void find_successor(const struct launch *launch);

/* ---- tasks.c ---- */

void start_tasks(struct launch *launch);

/* ---- watch.c ---- */

/* Takes over the signals that are handed on; called before tasks start, who get the former state back. */
void watch_open(void);
/* For a task before its exec. */
void watch_restore_signals(void);
/* Sees the tasks to their end, with everything that they left behind. */
void watch_tasks(struct launch *launch);

/* ---- labels.c ---- */

/* Makes a task's two pipes; the task gets the ends that are returned by `out` and `err`. */
void labels_open(struct task *task, int *out, int *err);
/* Prints the whole lines that can be read from a task; `last`: also what is no whole line. */
void labels_print(struct task *task, bool last);

#endif
