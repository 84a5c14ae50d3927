#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Room for hundreds of usual launches; a larger one gets a slot of its own. */
#define RING_BYTES (256u << 10)

enum entry_state { ON_ITS_WAY, TAKEN, WITHDRAWN };

struct entry {
  uint32_t length; /* of the request */
  _Atomic uint32_t state;
  char request[];
};

/* Positions only grow; where they are in `data` is their remainder. Only the launcher writes, and only it gives room back. */
struct ring {
  _Atomic uint32_t put;
  _Atomic uint32_t sleeping; /* the slot waits for `put` to change */
  uint32_t taken; /* the slot's */
  uint32_t freed; /* the launcher's */
  _Alignas(8) char data[RING_BYTES];
};

static uint32_t entry_bytes(size_t length)
{
  return (uint32_t)((sizeof(struct entry) + length + 7) & ~(size_t)7);
}

static struct entry *entry_at(struct ring *ring, uint32_t position)
{
  return (struct entry *)(ring->data + position % RING_BYTES);
}

struct ring *ring_open(void)
{
  void *memory = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail("Cannot share memory with a slot", strerror(errno));
  return memory;
}

void ring_close(struct ring *ring)
{
  munmap(ring, sizeof *ring);
}

struct entry *ring_put(struct ring *ring, const char *request, size_t length)
{
  if (length > RING_BYTES / 2)
    return NULL;
  uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
  uint32_t size = entry_bytes(length);
  uint32_t to_end = RING_BYTES - put % RING_BYTES;
  uint32_t filler = size > to_end ? to_end : 0;
  if (filler + size > RING_BYTES - (put - ring->freed))
    return NULL;
  if (filler > 0) {
    struct entry *gap = entry_at(ring, put);
    gap->length = filler - (uint32_t)sizeof *gap;
    atomic_store(&gap->state, WITHDRAWN);
    put += filler;
  }
  struct entry *entry = entry_at(ring, put);
  entry->length = (uint32_t)length;
  atomic_store(&entry->state, ON_ITS_WAY);
  memcpy(entry->request, request, length);
  atomic_store(&ring->put, put + size);
  if (atomic_load(&ring->sleeping))
    syscall(SYS_futex, &ring->put, FUTEX_WAKE, 1, NULL, NULL, 0);
  return entry;
}

bool ring_withdraw(struct entry *entry)
{
  uint32_t expected = ON_ITS_WAY;
  return atomic_compare_exchange_strong(&entry->state, &expected, WITHDRAWN);
}

void ring_free(struct ring *ring, struct entry *entry)
{
  uint32_t offset = (uint32_t)((char *)entry - ring->data);
  uint32_t ahead = (offset - ring->freed) % RING_BYTES;
  ring->freed += ahead + entry_bytes(entry->length);
}

void ring_wait(struct ring *ring)
{
  atomic_store(&ring->sleeping, 1);
  while (atomic_load(&ring->put) == ring->taken)
    syscall(SYS_futex, &ring->put, FUTEX_WAIT, ring->taken, NULL, NULL, 0);
  atomic_store(&ring->sleeping, 0);
}

const char *ring_take(struct ring *ring)
{
  while (atomic_load(&ring->put) != ring->taken) {
    struct entry *entry = entry_at(ring, ring->taken);
    ring->taken += entry_bytes(entry->length);
    uint32_t expected = ON_ITS_WAY;
    if (atomic_compare_exchange_strong(&entry->state, &expected, TAKEN))
      return entry->request;
  }
  return NULL;
}
