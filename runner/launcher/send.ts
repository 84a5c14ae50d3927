import type { Writable } from 'node:stream'

/** What was given in this turn, by input. */
const waiting = new WeakMap<Writable, Buffer[]>()

/**
 * Writes to a helper's input; what is sent in one turn goes out as one chunk, since a stream does as much for a chunk as for a small
 * job. It goes before whatever the sender does next: an embedded control plane may keep the thread for a while. Nothing happens once the
 * input is closed.
 */
export function sendTogether(input: Writable, data: Buffer | string): void {
  const chunk = typeof data === 'string' ? Buffer.from(data) : data
  const chunks = waiting.get(input)
  if (chunks !== undefined) {
    chunks.push(chunk)
    return
  }
  waiting.set(input, [chunk])
  queueMicrotask(() => flush(input))
}

/** Closes a helper's input behind what was sent. */
export function endInput(input: Writable): void {
  flush(input)
  input.end()
}

function flush(input: Writable): void {
  const chunks = waiting.get(input)
  waiting.delete(input)
  if (chunks !== undefined && !input.destroyed) input.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
}
