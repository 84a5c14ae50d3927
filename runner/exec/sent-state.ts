import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * How far an outbox was sent, beside it. `untilByte` is there while a batch is on its way: after a crash the same batch is sent again
 * under the same names, so that nothing arrives twice.
 */
export type SentState = { outboxId: string; sentBytes: number; untilByte?: number }

export function readSentState(path: string): SentState {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as Partial<SentState>
    if (typeof state.outboxId === 'string' && typeof state.sentBytes === 'number')
      return { outboxId: state.outboxId, sentBytes: state.sentBytes, untilByte: state.untilByte }
  } catch {
    // None yet, or torn by a full disk: names of a new outbox do not meet those of an old one.
  }
  return { outboxId: randomBytes(4).toString('hex'), sentBytes: 0 }
}

/** Writes it whole or not at all. */
export function writeSentState(path: string, state: SentState): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}
