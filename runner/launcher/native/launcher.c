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
/* No command line with its environment is larger: the kernel refuses above a quarter of the stack's limit. */
#define LARGEST_REQUEST (64u << 20)
#define FULL_DISK_RETRY_MS 1000

enum closing { OPEN, DRAINING, CUT };

static struct bytes requests;
static enum closing closing;

/* ---- requests ---- */

static uint32_t u32_at(const char *data)
{
  uint32_t value;
  memcpy(&value, data, sizeof value);
  return value;
}

static void request_close(bool kill)
{
  if (kill) {
    closing = CUT;
    queue_cut();
  } else if (closing == OPEN) {
    closing = DRAINING;
  }
}

/* A runner that was killed: what runs goes on for a while, in case another one comes; what has not started is nobody's. */
static void lose_runner(void)
{
  if (closing == OPEN)
    group_give_back();
  if (closing != OPEN || !orphan_begin()) {
    request_close(true);
    return;
  }
  requests.used = 0;
  queue_cancel_waiting();
}

static void welcome_runner(void)
{
  if (!orphan_adopt())
    return;
  queue_each_running(output_running);
  output_hello();
}

static void handle_request(const char *request, size_t length)
{
  uint32_t type = length >= 4 ? u32_at(request) : 0;
  if (type == REQUEST_LAUNCH && launch_is_sound(request, length))
    queue_launch(request, length);
  else if (type == REQUEST_SIGNAL && length == 12)
    queue_signal(u32_at(request + 4), (int)u32_at(request + 8));
  else if (type == REQUEST_RECALL && length == 8)
    queue_recall(u32_at(request + 4));
  else if (type == REQUEST_CLOSE && length == 8)
    request_close(u32_at(request + 4) != 0);
  else if (type == REQUEST_KEEP && length == 4)
    orphan_keep();
  else
    fail("Cannot read a request", "it is malformed");
}

static void handle_requests(void)
{
  size_t read = 0;
  for (;;) {
    size_t left = requests.used - read;
    const char *frame = requests.data + read;
    if (left >= 4 && u32_at(frame) > LARGEST_REQUEST)
      fail("Cannot read a request", "it is too large");
    if (left < 4 || left - 4 < u32_at(frame))
      break;
    read += 4 + u32_at(frame);
    handle_request(frame + 4, u32_at(frame));
  }
  bytes_drop_front(&requests, read);
}

static void read_requests(void)
{
  ssize_t length = read(REQUESTS, bytes_reserve(&requests, 65536), 65536);
  if (length > 0)
    requests.used += (size_t)length;
  else if (length == 0 || (errno != EINTR && errno != EAGAIN))
    lose_runner();
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

/* All signals are blocked, here and in the slots; a job begins with none blocked and none ignored. */
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
  sigaddset(&set, SIGTERM);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    fail("Cannot open the signal descriptor", strerror(errno));
  return fd;
}

/* At the runner's end a full disk must not keep us: what the journal lacks then, the next start finds out by itself. */
static bool has_work(void)
{
  return (closing == OPEN && !orphan_waits()) || jobs_left() || !(output_is_empty() || (closing == CUT && output_waits_for_disk()));
}

/* The earlier of two waits, of which -1 is none. */
static int sooner(int a_ms, int b_ms)
{
  return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* Whoever ends all programs of a node ends us through our runner, unless there is none. */
static void read_signals(int signals)
{
  struct signalfd_siginfo notice;
  while (read(signals, &notice, sizeof notice) > 0) {
    if (notice.ssi_signo == SIGCHLD)
      slots_check(queue_lose);
    else if (orphan_waits())
      request_close(true);
  }
}

static void run(int signals)
{
  while (has_work()) {
    bool connected = closing != CUT && !orphan_waits();
    struct pollfd fds[5] = {
      {.fd = signals, .events = POLLIN},
      {.fd = slots_news(), .events = POLLIN},
      {.fd = connected ? REQUESTS : -1, .events = POLLIN},
      {.fd = output_waits_for_reader() ? REPORTS : -1, .events = POLLOUT},
      {.fd = closing != CUT && orphan_waits() && queue_is_settled() ? orphan_socket() : -1, .events = POLLIN},
    };
    int retry_ms = output_waits_for_disk() ? FULL_DISK_RETRY_MS : -1;
    int left_ms = closing == CUT ? -1 : orphan_left_ms();
    if (poll(fds, 5, sooner(left_ms, sooner(output_gather_ms(), retry_ms))) < 0 && errno != EINTR)
      fail("Cannot wait for events", strerror(errno));
    if (fds[1].revents)
      slots_read(queue_handle);
    if (fds[2].revents) {
      read_requests();
      handle_requests();
    }
    /* After the requests: what ends us may come in the same moment as the end of our runner. */
    if (fds[0].revents)
      read_signals(signals);
    if (fds[4].revents)
      welcome_runner();
    if (closing != CUT && orphan_left_ms() == 0)
      request_close(true);
    if (orphan_waits())
      output_forget_reports();
    if (!output_flush(closing != OPEN))
      lose_runner();
  }
}

int main(int argc, char **argv)
{
  if (argc != 4 && argc != 5)
    fail("Cannot start the launcher", "usage: headrace-launcher JOURNAL ID PATIENCE_MS [CGROUP]");
  close_inherited();
  int signals = open_signals();
  output_open(argv[1], argv[2]);
  start_open(argv[2]);
  if (argc == 5)
    group_open(argv[4]);
  slots_open();
  orphan_open(argv[2], strtoull(argv[3], NULL, 10));
  output_hello();
  output_flush(true);
  run(signals);
  return 0;
}
