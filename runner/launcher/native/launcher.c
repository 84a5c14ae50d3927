#define _GNU_SOURCE
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define REQUESTS 0 /* the runner's pipe; its end means that the runner is gone */
#define REPORTS 1
/* Between so many starts (about 0.3 ms each) the ended jobs are seen to. */
#define STARTS_IN_A_ROW 8
/* No command line with its environment is larger: the kernel refuses above a quarter of the stack's limit. */
#define LARGEST_REQUEST (64u << 20)
#define FULL_DISK_RETRY_MS 1000

enum closing { OPEN, DRAINING, CUT };

static struct bytes requests;
static size_t requests_read; /* how many of these bytes have been handled */
static enum closing closing;

/* ---- requests ---- */

static uint32_t u32_at(const char *data)
{
  uint32_t value;
  memcpy(&value, data, sizeof value);
  return value;
}

static void request_launch(const char *request, size_t length)
{
  if (!launch_is_sound(request, length))
    fail("Cannot read a launch request", "it is malformed");
  struct job *job = job_add(u32_at(request + 4));
  bool follows = u32_at(request + 8) & LAUNCH_AFTER;
  struct job *leader = follows ? job_by_tag(u32_at(request + 12)) : NULL;
  if (closing == CUT) {
    end_unstarted(job, ECANCELED, STEP_CANCELED, NULL);
  } else if (leader && leader != job) {
    job->request = allocate(length);
    memcpy(job->request, request, length);
    job_follow(job, leader);
  } else {
    start_job(job, request);
  }
}

static void request_signal(const char *request)
{
  struct job *job = job_by_tag(u32_at(request + 4));
  if (job)
    signal_job(job, (int)u32_at(request + 8));
}

static void request_recall(const char *request)
{
  uint32_t tag = u32_at(request + 4);
  struct job *job = job_by_tag(tag);
  bool waits = job && job->stage == WAITING;
  if (waits) {
    job_unfollow(job);
    job_forget(job);
  }
  output_recalled(tag, waits);
}

static void request_close(bool kill)
{
  if (kill) {
    closing = CUT;
    cut_jobs();
  } else if (closing == OPEN) {
    closing = DRAINING;
  }
}

static void handle_request(const char *request, size_t length)
{
  uint32_t type = length >= 8 ? u32_at(request) : 0;
  if (type == REQUEST_LAUNCH)
    request_launch(request, length);
  else if (type == REQUEST_SIGNAL && length == 12)
    request_signal(request);
  else if (type == REQUEST_RECALL)
    request_recall(request);
  else if (type == REQUEST_CLOSE)
    request_close(u32_at(request + 4) != 0);
  else
    fail("Cannot read a request", "it is malformed");
}

/* Handles what has been read; true when it stopped early and there is more. */
static bool handle_requests(void)
{
  for (int starts = 0; starts < STARTS_IN_A_ROW;) {
    size_t left = requests.used - requests_read;
    const char *frame = requests.data + requests_read;
    if (left >= 4 && u32_at(frame) > LARGEST_REQUEST)
      fail("Cannot read a request", "it is too large");
    if (left < 4 || left - 4 < u32_at(frame)) {
      bytes_drop_front(&requests, requests_read);
      requests_read = 0;
      return false;
    }
    requests_read += 4 + u32_at(frame);
    starts += u32_at(frame + 4) == REQUEST_LAUNCH;
    handle_request(frame + 4, u32_at(frame));
  }
  return true;
}

static void read_requests(void)
{
  ssize_t length = read(REQUESTS, bytes_reserve(&requests, 65536), 65536);
  if (length > 0)
    requests.used += (size_t)length;
  else if (length == 0 || (errno != EINTR && errno != EAGAIN))
    request_close(true);
}

/* ---- the loop ---- */

/* What another program left open in the runner is not for the jobs, and 0, 1 and 2 are replaced for each of them. */
static void close_inherited(void)
{
  DIR *directory = opendir("/proc/self/fd");
  if (!directory)
    return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    int fd = atoi(entry->d_name);
    if (fd > 2 && fd != dirfd(directory))
      close(fd);
  }
  closedir(directory);
}

/* All signals are blocked, here and in the starter thread; a job begins with none blocked and none ignored. */
static int open_signals(void)
{
  for (int signal = 1; signal < NSIG; signal++)
    if (signal != SIGKILL && signal != SIGSTOP)
      sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  sigset_t set;
  sigfillset(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    fail("Cannot open the signal descriptor", strerror(errno));
  return fd;
}

/* At the runner's end a full disk must not keep us: what the journal lacks then, the next start finds out by itself. */
static bool has_work(void)
{
  return closing == OPEN || jobs_left() || !(output_is_empty() || (closing == CUT && output_waits_for_disk()));
}

/* The earlier of two waits, of which -1 is none. */
static int sooner(int a_ms, int b_ms)
{
  return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static void run(int signals)
{
  bool more = false;
  int look_ms = -1;
  while (has_work()) {
    struct pollfd fds[3] = {
      {.fd = signals, .events = POLLIN},
      {.fd = closing == CUT ? -1 : REQUESTS, .events = POLLIN},
      {.fd = output_waits_for_reader() ? REPORTS : -1, .events = POLLOUT},
    };
    int retry_ms = output_waits_for_disk() ? FULL_DISK_RETRY_MS : -1;
    int timeout_ms = more ? 0 : sooner(sooner(look_ms, output_gather_ms()), retry_ms);
    if (poll(fds, 3, timeout_ms) < 0 && errno != EINTR)
      fail("Cannot wait for events", strerror(errno));
    struct signalfd_siginfo notice[8];
    while (fds[0].revents && read(signals, notice, sizeof notice) > 0) {
    }
    reap_processes();
    look_ms = end_jobs();
    start_followers();
    if (fds[1].revents)
      read_requests();
    more = handle_requests();
    start_followers();
    if (!output_flush(closing != OPEN))
      request_close(true);
  }
}

int main(int argc, char **argv)
{
  if (argc != 3)
    fail("Cannot start the launcher", "usage: headrace-launcher JOURNAL ID");
  close_inherited();
  int signals = open_signals();
  strays_open(argv[2]);
  output_open(argv[1], argv[2]);
  starter_open(argv[2]);
  output_hello();
  output_flush(true);
  run(signals);
  strays_end_all();
  return 0;
}
