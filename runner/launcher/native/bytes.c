#include "launcher.h"

#include <stdlib.h>
#include <string.h>

void *allocate(size_t size)
{
  void *memory = malloc(size);
  if (!memory)
    fail("Cannot allocate memory", "out of memory");
  return memory;
}

char *bytes_reserve(struct bytes *bytes, size_t length)
{
  size_t needed = bytes->used + length;
  if (needed > bytes->room) {
    size_t room = bytes->room ? bytes->room : 4096;
    while (room < needed)
      room *= 2;
    char *data = realloc(bytes->data, room);
    if (!data)
      fail("Cannot allocate memory", "out of memory");
    bytes->data = data;
    bytes->room = room;
  }
  return bytes->data + bytes->used;
}

void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
  memcpy(bytes_reserve(bytes, length), data, length);
  bytes->used += length;
}

void bytes_drop_front(struct bytes *bytes, size_t length)
{
  bytes->used -= length;
  if (length > 0 && bytes->used > 0)
    memmove(bytes->data, bytes->data + length, bytes->used);
}
