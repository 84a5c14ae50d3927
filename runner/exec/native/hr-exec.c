#define _GNU_SOURCE
#include "exec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void speak(const char *format, va_list arguments)
{
  char text[2048];
  int length = vsnprintf(text, sizeof text - 1, format, arguments);
  if (length < 0)
    return;
  size_t end = (size_t)length < sizeof text - 1 ? (size_t)length : sizeof text - 2;
  text[end] = '\n';
  /* In one piece: thousands of us may share a stream. Nobody to tell when even this fails. */
  if (write(STDERR_FILENO, text, end + 1) < 0)
    return;
}

void complain(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  speak(format, arguments);
  va_end(arguments);
}

void give_up(int code, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  speak(format, arguments);
  va_end(arguments);
  exit(code);
}

void *allocate(size_t size)
{
  void *memory = calloc(1, size);
  if (!memory)
    give_up(EXIT_NO_RUNNER, "Cannot launch as there is no memory left");
  return memory;
}

double epoch_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
  struct options options;
  read_options(&options, argc, argv);
  if (options.status) {
    print_status();
    return 0;
  }
  struct launch launch = {.options = &options, .task_count = count_tasks(&options)};
  ask_for_grant(&launch);
  watch_open();
  start_tasks(&launch);
  tell_start(&launch);
  watch_tasks(&launch);
  tell_end(&launch);
  return launch.code;
}
