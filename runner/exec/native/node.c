#define _GNU_SOURCE
#include "exec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whoever waits when the runner dies looks for the next one this long. */
#define SUCCESSOR_PATIENCE_MS 30000
#define SUCCESSOR_LOOK_US 100000
#define OPENING_PATIENCE_MS 5000
#define OPENING_LOOK_US 5000
/* Of the command, in records and in the list of who waits: the line stays far below what the gate reads at once. */
#define LONGEST_COMMAND 1000
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

static int node = -1;
/* The grant that we were started in; kept, since our tasks see ours in the same variable. */
static const char *around = "-";

/* ---- the socket ---- */

static struct sockaddr_un find_address(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *named = getenv("HEADRACE_NODE_SOCKET");
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  int length;
  if (named && *named)
    length = snprintf(address.sun_path, sizeof address.sun_path, "%s", named);
  else if (runtime && *runtime)
    length = snprintf(address.sun_path, sizeof address.sun_path, "%s/headrace/node.sock", runtime);
  else
    length = snprintf(address.sun_path, sizeof address.sun_path, "/tmp/headrace-%u/node.sock", getuid());
  if (length >= (int)sizeof address.sun_path)
    give_up(EXIT_NO_RUNNER, "Cannot launch as the path of the node's socket is too long: %s…", address.sun_path);
  return address;
}

/* The directory in /tmp could have been made by anybody. */
static bool is_ours(int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

/* False with the reason in errno. */
static bool connect_node(void)
{
  struct sockaddr_un address = find_address();
  node = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (node >= 0 && connect(node, (struct sockaddr *)&address, sizeof address) == 0) {
    if (is_ours(node))
      return true;
    errno = EPERM;
  }
  int reason = errno;
  if (node >= 0)
    close(node);
  node = -1;
  errno = reason;
  return false;
}

/* The runner around a job opens its socket while the first jobs begin. */
static bool is_on_its_way(void)
{
  return strstr(around, "-job-") && (errno == ENOENT || errno == ECONNREFUSED);
}

static void must_connect(void)
{
  double until = epoch_ms() + OPENING_PATIENCE_MS;
  bool is_there = connect_node();
  while (!is_there && is_on_its_way() && epoch_ms() < until) {
    usleep(OPENING_LOOK_US);
    is_there = connect_node();
  }
  if (!is_there)
    give_up(EXIT_NO_RUNNER, "Cannot launch as no runner answers at %s (%s): `runner node` starts one",
            find_address().sun_path, strerror(errno));
}

static void say(const char *line, size_t length)
{
  if (node >= 0 && send(node, line, length, MSG_NOSIGNAL) != (ssize_t)length)
    note_node_end();
}

int node_fd(void)
{
  return node;
}

void note_node_end(void)
{
  close(node);
  node = -1;
}

/* ---- asking ---- */

/* All words of the launch in one line. */
static void write_command(const struct options *options, char *text, size_t room)
{
  size_t used = 0;
  for (unsigned i = 0; i < options->program_count; i++)
    for (char **word = options->programs[i].argv; *word && used + 1 < room; word++)
      used += (size_t)snprintf(text + used, room - used, "%s%s", used ? (word == options->programs[i].argv ? " : " : " ") : "", *word);
  for (char *at = text; *at; at++)
    if (iscntrl((unsigned char)*at))
      *at = ' ';
}

static unsigned count_cores(const struct options *options)
{
  unsigned long count = 0;
  for (unsigned i = 0; i < options->program_count; i++)
    count += (unsigned long)options->programs[i].tasks * options->programs[i].cpus;
  return count > 1000000 ? 1000000 : (unsigned)count;
}

/* What every request says of a launch: for whom inside which grant, where its record goes, and its command. */
static void write_about(const struct options *options, char *text, size_t room)
{
  char command[LONGEST_COMMAND];
  write_command(options, command, sizeof command);
  snprintf(text, room, "%.60s %s %s", around, options->record, command);
}

static void send_request(const struct options *options)
{
  char about[LONGEST_COMMAND + 128], line[LONGEST_COMMAND + 256];
  write_about(options, about, sizeof about);
  int length = snprintf(line, sizeof line, "ask 1 %u %u %llu %s\n", count_cores(options), options->gpus,
                        (unsigned long long)options->memory_bytes, about);
  say(line, (size_t)length);
}

static char *take_word(char **at)
{
  char *word = strsep(at, " ");
  return word ? word : "";
}

static void read_cores(struct grant *grant)
{
  size_t most = 1;
  for (const char *at = grant->cores_text; *at; at++)
    most += *at == ',';
  grant->cores = allocate(most * sizeof *grant->cores);
  for (char *at = grant->cores_text; isdigit((unsigned char)*at); at += *at == ',')
    grant->cores[grant->core_count++] = (unsigned)strtoul(at, &at, 10);
}

static void read_grant(struct grant *grant, char *line)
{
  char *at = line;
  char *type = take_word(&at);
  if (strcmp(type, "refuse") == 0) {
    int code = atoi(take_word(&at));
    give_up(code, "%s", at ? at : "");
  }
  if (strcmp(type, "grant") != 0)
    give_up(EXIT_NO_RUNNER, "Cannot launch as what answers is no runner of this version");
  snprintf(grant->id, sizeof grant->id, "%s", take_word(&at));
  grant->bind = *take_word(&at) == '1';
  grant->cores_text = strdup(take_word(&at));
  grant->gpus_text = strdup(take_word(&at));
  read_cores(grant);
}

/* Reads to the end of a line, which is cut off. False when the resident part went away before. */
static bool read_line(char **line)
{
  static char *text;
  static size_t room;
  size_t used = 0;
  for (;;) {
    if (used + 1 >= room) {
      room = room ? 2 * room : 4096;
      text = realloc(text, room);
      if (!text)
        give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
    }
    ssize_t length = read(node, text + used, room - used - 1);
    if (length < 0 && errno == EINTR)
      continue;
    if (length <= 0)
      return false;
    used += (size_t)length;
    if (text[used - 1] == '\n') {
      text[used - 1] = '\0';
      *line = text;
      return true;
    }
  }
}

void ask_for_grant(struct launch *launch)
{
  const char *variable = getenv("HEADRACE_GRANT");
  bool is_sound = variable && *variable && strspn(variable, ID_CHARACTERS) == strlen(variable);
  around = is_sound ? strdup(variable) : "-";
  must_connect();
  double until = epoch_ms() + SUCCESSOR_PATIENCE_MS;
  for (;;) {
    char *line;
    send_request(launch->options);
    if (node >= 0 && read_line(&line)) {
      read_grant(&launch->grant, line);
      return;
    }
    if (node >= 0)
      note_node_end();
    do {
      if (epoch_ms() > until)
        give_up(EXIT_NO_RUNNER, "Cannot launch as the runner went away while this waited for cores: `runner node` starts one");
      usleep(SUCCESSOR_LOOK_US);
    } while (!connect_node());
  }
}

/* ---- telling ---- */

void tell_start(const struct launch *launch)
{
  char line[64];
  int length = snprintf(line, sizeof line, "started %d\n", launch->group);
  say(line, (size_t)length);
}

void tell_end(const struct launch *launch)
{
  char line[256];
  int length = snprintf(line, sizeof line, "end %d %.3f %.3f %.3f %.3f %.0f\n", launch->code, launch->started_ms,
                        launch->exited_ms, launch->user_ms, launch->system_ms, launch->peak_bytes);
  say(line, (size_t)length);
}

void find_successor(const struct launch *launch)
{
  if (!connect_node())
    return;
  const struct grant *grant = &launch->grant;
  char about[LONGEST_COMMAND + 128];
  write_about(launch->options, about, sizeof about);
  char *line;
  int length = asprintf(&line, "adopt 1 %s %s %s %llu %d %.3f %s\n", grant->id, grant->cores_text, grant->gpus_text,
                        (unsigned long long)launch->options->memory_bytes, launch->group, launch->started_ms, about);
  if (length < 0)
    give_up(EXIT_NO_RUNNER, "Cannot go on as there is no memory left");
  say(line, (size_t)length);
  free(line);
  tell_start(launch);
}

void print_status(void)
{
  char *line;
  must_connect();
  say("status 1\n", 9);
  if (node < 0 || !read_line(&line))
    give_up(EXIT_NO_RUNNER, "Cannot show the node as its runner went away");
  puts(strncmp(line, "status ", 7) == 0 ? line + 7 : line);
}
