import { renameSync, rmSync, statSync } from 'node:fs'
import type { RecordOutbox } from './outbox.ts'
import { isForWorkflow, readRecords } from './read-records.ts'
import type { LaunchRecord } from './record.ts'
import type { Sent } from './send-records.ts'
import { readSentState, type SentState, writeSentState } from './sent-state.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** An outbox that is all sent is put aside at this size; one such file is kept. */
const ROTATE_BYTES = 64 * 1024 * 1024

/** Sends a batch's records of one workflow; `again`: a part of it may be there already. */
export type SendBatch = (
  workflowId: number,
  batch: string,
  records: readonly LaunchRecord[],
  again: boolean,
) => Promise<Sent>

/**
 * Passes on what stands in an outbox, batch after batch in its order, for as long as it takes: a control plane that is away costs
 * nothing but time. Records for no workflow stay where they are.
 */
export class Forwarder {
  readonly #outbox: RecordOutbox
  readonly #send: SendBatch
  readonly #statePath: string
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #pauseMs = FIRST_PAUSE_MS
  /** Records that a workflow will never take. */
  refused = 0

  constructor(outbox: RecordOutbox, send: SendBatch) {
    this.#outbox = outbox
    this.#send = send
    this.#statePath = `${outbox.path}.sent`
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#working = this.pass().then(reached => {
        this.#working = undefined
        this.#pauseMs = reached ? FIRST_PAUSE_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
        if (this.#timer !== undefined) this.start()
      })
    }, this.#pauseMs).unref()
  }

  /** Stops after one more try to send what is there. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#working
    await this.pass()
  }

  /** Sends all that is there; false when it could not. */
  async pass(): Promise<boolean> {
    try {
      for (;;) {
        const state = readSentState(this.#statePath)
        const next = await this.#sendBatch(state)
        if (next === undefined) return false
        if (next.sentBytes === state.sentBytes) break
      }
      this.#rotate()
      return true
    } catch {
      // A full disk: nothing is sent whose sending could not be noted.
      return false
    }
  }

  async #sendBatch(state: SentState): Promise<SentState | undefined> {
    const { records, endByte } = readRecords(this.#outbox.path, state.sentBytes, state.untilByte, isForWorkflow)
    if (endByte === state.sentBytes) return state
    const again = state.untilByte !== undefined
    const byWorkflow = groupByWorkflow(records)
    if (byWorkflow.size > 0 && !again) writeSentState(this.#statePath, { ...state, untilByte: endByte })
    for (const [workflowId, own] of byWorkflow) {
      const sent = await this.#send(workflowId, `${state.outboxId}.${state.sentBytes}`, own, again)
      if (sent === 'later') return undefined
      if (sent === 'refused') this.refused += own.length
    }
    const next = { outboxId: state.outboxId, sentBytes: endByte }
    writeSentState(this.#statePath, next)
    return next
  }

  /** Only between batches, and nobody else writes: what is put aside is all sent. */
  #rotate(): void {
    const size = statSync(this.#outbox.path, { throwIfNoEntry: false })?.size ?? 0
    if (size < ROTATE_BYTES) return
    renameSync(this.#outbox.path, `${this.#outbox.path}.old`)
    rmSync(this.#statePath, { force: true })
  }
}

function groupByWorkflow(records: readonly LaunchRecord[]): Map<number, LaunchRecord[]> {
  const groups = new Map<number, LaunchRecord[]>()
  for (const record of records) {
    if (record.workflow_id === undefined) continue
    const group = groups.get(record.workflow_id)
    if (group === undefined) groups.set(record.workflow_id, [record])
    else group.push(record)
  }
  return groups
}
