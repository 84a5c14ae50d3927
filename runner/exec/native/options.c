#define _GNU_SOURCE
#include "exec.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_TASKS 100000

static const char usage[] =
#include "usage.inc"
  ;

enum option {
  TASKS, CPUS, GPUS, MEMORY, LABELS, TIMEOUT, DIRECTORY, SETTING, GLOBAL_SETTING, OUT_PATTERN, ERR_PATTERN, BIND, MAP,
  KEEP_GOING, NO_RECORD, RECORD_TO, STATUS, HELP,
};

/* With one dash or two, as one mpiexec or the other has them. */
static const struct {
  const char *name;
  enum option option;
  int values;
} names[] = {
  {"n", TASKS, 1},
  {"np", TASKS, 1},
  {"c", CPUS, 1},
  {"cpus-per-task", CPUS, 1},
  {"gpus", GPUS, 1},
  {"mem", MEMORY, 1},
  {"l", LABELS, 0},
  {"label", LABELS, 0},
  {"timeout", TIMEOUT, 1},
  {"wdir", DIRECTORY, 1},
  {"env", SETTING, 2},
  {"genv", GLOBAL_SETTING, 2},
  {"outfile-pattern", OUT_PATTERN, 1},
  {"errfile-pattern", ERR_PATTERN, 1},
  {"bind-to", BIND, 1},
  {"map-by", MAP, 1},
  {"keep-going", KEEP_GOING, 0},
  {"no-record", NO_RECORD, 0},
  {"record-to", RECORD_TO, 1},
  {"node-status", STATUS, 0},
  {"help", HELP, 0},
  {"h", HELP, 0},
};
#define NAME_COUNT (sizeof names / sizeof *names)

/* ---- the nearest name ---- */

/* How many characters to insert, delete or replace. Names are short. */
static unsigned distance(const char *a, size_t a_length, const char *b)
{
  unsigned row[64];
  size_t b_length = strlen(b);
  for (size_t j = 0; j <= b_length; j++)
    row[j] = (unsigned)j;
  for (size_t i = 1; i <= a_length; i++) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= b_length; j++) {
      unsigned best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[b_length];
}

_Noreturn static void refuse_name(const char *word, const char *name, size_t length)
{
  const char *nearest = NULL;
  unsigned least = UINT_MAX;
  for (size_t i = 0; i < NAME_COUNT; i++) {
    unsigned far = distance(name, length, names[i].name);
    if (far < least) {
      least = far;
      nearest = names[i].name;
    }
  }
  if (least <= (length > 4 ? 3 : 1))
    give_up(EXIT_USAGE, "Cannot use the option %s as it is unknown: did you mean %s%s?", word,
            strlen(nearest) > 1 ? "--" : "-", nearest);
  give_up(EXIT_USAGE, "Cannot use the option %s as it is unknown: hr-exec --help lists the options", word);
}

/* ---- values ---- */

static unsigned read_count(const char *name, const char *text, unsigned least)
{
  char *end;
  unsigned long count = strtoul(text, &end, 10);
  if (!isdigit((unsigned char)text[0]) || *end || count < least || count > MOST_TASKS)
    give_up(EXIT_USAGE, "Cannot read %s as it must be a whole number from %u to %u: current value is %s", name, least,
            MOST_TASKS, text);
  return (unsigned)count;
}

/* 512, 512k, 1.5g, 2GiB: powers of 1024, as in workflow files. */
static uint64_t read_memory(const char *name, const char *text)
{
  static const char units[] = "kmgt";
  char *end;
  double amount = strtod(text, &end);
  bool sound = isdigit((unsigned char)text[0]) && amount > 0;
  const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
  if (unit) {
    for (const char *step = units; step <= unit; step++)
      amount *= 1024;
    end++;
    if (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0)
      end += strlen(end);
  }
  if (!sound || *end || amount >= 9e15)
    give_up(EXIT_USAGE, "Cannot read %s as it must be an amount of memory like 512m or 2g: current value is %s", name, text);
  return (uint64_t)amount;
}

/* Seconds, with a fraction; or 1h30m20s. */
static uint64_t read_duration(const char *name, const char *text)
{
  const char *at = text;
  double seconds = 0;
  bool sound = *text != '\0';
  while (sound && *at) {
    char *end;
    double amount = strtod(at, &end);
    sound = isdigit((unsigned char)*at) && end != at;
    switch (*end) {
    case 'd': amount *= 24; /* fall through */
    case 'h': amount *= 60; /* fall through */
    case 'm': amount *= 60; /* fall through */
    case 's': end++; break;
    case '\0': sound = sound && at == text; break;
    default: sound = false;
    }
    seconds += amount;
    at = end;
  }
  if (!sound || seconds <= 0 || seconds > 1e9)
    give_up(EXIT_USAGE, "Cannot read %s as it must be a time like 90 or 1h30m: current value is %s", name, text);
  return (uint64_t)(seconds * 1000 + 0.5);
}

static const char **add_setting(const char **settings, const char *name, const char *value)
{
  size_t count = 0;
  while (settings && settings[count])
    count++;
  char *setting;
  settings = realloc(settings, (count + 2) * sizeof *settings);
  if (*name == '\0' || strchr(name, '='))
    give_up(EXIT_USAGE, "Cannot set a variable as its name is not possible: current name is %s", name);
  if (!settings || asprintf(&setting, "%s=%s", name, value) < 0)
    give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
  settings[count] = setting;
  settings[count + 1] = NULL;
  return settings;
}

static bool read_binding(const char *text)
{
  if (strcmp(text, "core") != 0 && strcmp(text, "none") != 0)
    give_up(EXIT_USAGE, "Cannot read --bind-to as it must be core or none: current value is %s", text);
  return strcmp(text, "core") == 0;
}

/* On one node, with whole cores dealt in the order of the ranks, these all say the same. */
static void check_mapping(const char *text)
{
  static const char *const known[] = {"core", "slot", "node", "socket", "numa", "hwthread"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(text, known[i]) == 0)
      return;
  give_up(EXIT_USAGE, "Cannot read --map-by as it must be core, slot, node, socket, numa or hwthread: current value is %s", text);
}

static const char *read_workflow(const char *name, const char *text)
{
  if (strspn(text, "0123456789") != strlen(text) || *text == '\0' || strlen(text) > 15)
    give_up(EXIT_USAGE, "Cannot read %s as it must be the id of a workflow: current value is %s", name, text);
  return text;
}

/* ---- the command line ---- */

_Noreturn static void print_usage(void)
{
  fputs(usage, stdout);
  exit(fflush(stdout) == 0 ? 0 : EXIT_NO_RUNNER);
}

static void take(struct options *options, struct program *program, enum option option, const char *name, char **values)
{
  switch (option) {
  case TASKS: program->tasks = read_count(name, values[0], 1); break;
  case CPUS: program->cpus = read_count(name, values[0], 1); break;
  case GPUS: options->gpus = read_count(name, values[0], 0); break;
  case MEMORY: options->memory_bytes = read_memory(name, values[0]); break;
  case LABELS: options->labels = true; break;
  case TIMEOUT: options->timeout_ms = read_duration(name, values[0]); break;
  case DIRECTORY: program->directory = values[0]; break;
  case SETTING: program->settings = add_setting(program->settings, values[0], values[1]); break;
  case GLOBAL_SETTING: options->settings = add_setting(options->settings, values[0], values[1]); break;
  case OUT_PATTERN: options->out_pattern = values[0]; break;
  case ERR_PATTERN: options->err_pattern = values[0]; break;
  case BIND: options->bind = read_binding(values[0]); break;
  case MAP: check_mapping(values[0]); break;
  case KEEP_GOING: options->keep_going = true; break;
  case NO_RECORD: options->record = "none"; break;
  case RECORD_TO: options->record = read_workflow(name, values[0]); break;
  case STATUS: options->status = true; break;
  case HELP: print_usage();
  }
}

/* Reads one option with its values; returns the word after it. */
static char **read_option(struct options *options, struct program *program, char **word)
{
  const char *name = *word + 1 + ((*word)[1] == '-');
  char *equals = strchr(name, '=');
  size_t length = equals ? (size_t)(equals - name) : strlen(name);
  size_t found = 0;
  while (found < NAME_COUNT && (strlen(names[found].name) != length || strncmp(names[found].name, name, length) != 0))
    found++;
  if (found == NAME_COUNT)
    refuse_name(*word, name, length);
  char *inline_value = equals ? equals + 1 : NULL;
  char **values = inline_value ? &inline_value : word + 1;
  int wanted = names[found].values;
  if (inline_value && wanted != 1)
    give_up(EXIT_USAGE, "Cannot use %.*s with a value behind an equals sign", (int)(name + length - *word), *word);
  for (int i = 0; i < wanted; i++)
    if (!values[i])
      give_up(EXIT_USAGE, "Cannot use %s without %s", *word, wanted == 1 ? "a value" : "a name and a value");
  take(options, program, names[found].option, *word, values);
  return word + 1 + (inline_value ? 0 : wanted);
}

/* Reads the options and the command of one program; returns the `:` after it, or the end. */
static char **read_program(struct options *options, struct program *program, char **word)
{
  *program = (struct program){.tasks = 1, .cpus = 1};
  while (*word && (*word)[0] == '-' && (*word)[1] != '\0') {
    if (strcmp(*word, "--") == 0) {
      word++;
      break;
    }
    word = read_option(options, program, word);
  }
  program->argv = word;
  while (*word && strcmp(*word, ":") != 0)
    word++;
  if (program->argv == word && !options->status)
    give_up(EXIT_USAGE, "Cannot launch without a program: hr-exec --help shows an example");
  return word;
}

void read_options(struct options *options, int argc, char **argv)
{
  *options = (struct options){.bind = true, .record = "-"};
  const char *workflow = getenv("HEADRACE_EXEC_WORKFLOW");
  if (workflow && *workflow)
    options->record = read_workflow("HEADRACE_EXEC_WORKFLOW", workflow);
  options->programs = allocate(((size_t)argc + 1) * sizeof *options->programs);
  for (char **word = argv + 1;; word++) {
    word = read_program(options, &options->programs[options->program_count++], word);
    if (!*word)
      break;
    *word = NULL; /* the `:`; what stands before it is a whole command */
  }
  if (count_tasks(options) > MOST_TASKS)
    give_up(EXIT_USAGE, "Cannot launch more than %u tasks at once", MOST_TASKS);
}

unsigned count_tasks(const struct options *options)
{
  unsigned count = 0;
  for (unsigned i = 0; i < options->program_count; i++)
    count += options->programs[i].tasks;
  return count;
}
