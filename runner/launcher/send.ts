import type { Writable } from 'node:stream'

/** Writes to a helper's input; what is sent in one tick goes out in one system call. Nothing happens once the input is closed. */
export function sendTogether(input: Writable, data: Buffer | string): void {
  if (input.destroyed) return
  if (input.writableCorked === 0) {
    input.cork()
    process.nextTick(() => input.uncork())
  }
  input.write(data)
}
