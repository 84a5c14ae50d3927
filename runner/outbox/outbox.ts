import { closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CompletionEntry } from '../wire.ts'
import { KEPT_AFTER_ANSWER_MS, listOutboxFiles, OUTBOX_SUFFIX, readOutboxFile, removeIfOver } from './outbox-file.ts'
import { formatOutboxRecord, MOVED, type OutboxHeader, rangesOf } from './records.ts'

/**
 * Completions on this node's disk from the moment they are made until they were answered (design.md 10). Used with a control plane
 * elsewhere; with one in this process the launcher's journal, which holds every exit before it is told, says the same.
 */
export type Outbox = {
  /** Takes a completion. It is on disk after the next `flush`, or by itself a moment later. */
  add(entry: CompletionEntry): void
  /** Puts all that was taken on disk; with durability `power` also through the disk's cache. */
  flush(): void
  /** Notes that these were answered. */
  answered(entries: readonly CompletionEntry[], epoch: string): void
  /** The files of this outbox, the oldest first. */
  files(): string[]
  /** A second time does nothing: a run that is over may be ended once more. */
  close(): void
}

export type OutboxOptions = {
  directory: string
  header: OutboxHeader
  durability: 'process' | 'power'
  clock: () => number
  /** Told when the disk does not take something; it is tried again with what comes next. */
  onTrouble(message: string): void
}

/** A larger file is left to itself and another one begun, so that old ones can go. */
const LARGEST_BYTES = 8 * 2 ** 20
/** With durability `process` at most this much is lost when the machine loses power. */
const SYNC_MS = 1_000

/** Opens an outbox in a directory that is made when it is missing. Throws the system's error when it cannot be written. */
export function openOutbox({ directory, header, durability, clock, onTrouble }: OutboxOptions): Outbox {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const numbers = new WeakMap<CompletionEntry, number>()
  /** The lines of what is not answered yet. */
  const waiting = new Map<number, string>()
  /** Our full files and when they were left: all they hold was answered by then, or has moved on. The oldest first. */
  const full: { path: string; atMs: number }[] = []
  let isClosed = false
  let path = ''
  let part = 0
  let file = begin()
  let bytes = 0
  let lines = ''
  let next = 1
  let soon: NodeJS.Immediate | undefined
  let syncing: NodeJS.Timeout | undefined

  function begin(): number {
    const next = join(directory, `${clock()}-${header.pid}-${part++}${OUTBOX_SUFFIX}`)
    const opened = openSync(next, 'a', 0o600)
    writeFileSync(opened, formatOutboxRecord({ type: 'header', header }))
    path = next
    return opened
  }

  /** All of it or an error: a disk that fills up takes a part of one write, and only the next one says so. */
  function write(text: string): void {
    writeFileSync(file, text)
    bytes += text.length
    if (durability === 'power') fdatasyncSync(file)
    else syncing ??= setTimeout(sync, SYNC_MS).unref()
  }

  function sync(): void {
    syncing = undefined
    // A disk that fails here has failed the write before, or will fail the next one.
    fdatasync(file, () => {})
  }

  function flush(): void {
    if (soon !== undefined) clearImmediate(soon)
    soon = undefined
    if (lines === '') return
    const text = lines
    lines = ''
    try {
      write(text)
    } catch (error) {
      // Apart from what a part of it may have become. It is sent all the same: the launcher's journal has the exits.
      lines = `\n${text}`
      onTrouble((error as Error).message)
    }
  }

  const answerLines = (seqs: readonly number[], epoch: string): string =>
    rangesOf(seqs)
      .map(([first, last]) => formatOutboxRecord({ type: 'answer', answer: { first, last, atMs: clock(), epoch } }))
      .join('')

  /**
   * Begins another file. What still waits for its answer is there before the old file says that it has moved, so that an answer always
   * stands in the file of its entry; a runner that is killed in between leaves it in both, and told twice it is a duplicate.
   */
  function turnOver(): void {
    if (bytes < LARGEST_BYTES || lines !== '') return
    const left = { path, file }
    try {
      file = begin()
    } catch (error) {
      // The old one will do until the next answer.
      onTrouble((error as Error).message)
      return
    }
    bytes = 0
    lines = [...waiting.values()].join('')
    flush()
    leave(left)
    removeOld()
  }

  /** Says that what waits has moved, unless the new file has not taken it. A file that does not say so stays, and is told once more. */
  function leave(left: { path: string; file: number }): void {
    try {
      if (lines === '') writeFileSync(left.file, answerLines([...waiting.keys()], MOVED))
      full.push({ path: left.path, atMs: clock() })
    } catch (error) {
      onTrouble((error as Error).message)
    } finally {
      closeSync(left.file)
    }
  }

  /** Reads no file before its time: a busy runner has many, and each takes memory and the loop's time. */
  function removeOld(): void {
    for (
      let oldest = full[0];
      oldest !== undefined && clock() - oldest.atMs >= KEPT_AFTER_ANSWER_MS;
      oldest = full[0]
    ) {
      full.shift()
      const old = readOutboxFile(oldest.path)
      if (old !== undefined) removeIfOver(old, clock())
    }
  }

  return {
    add(entry) {
      const line = formatOutboxRecord({ type: 'entry', seq: next, entry })
      numbers.set(entry, next)
      waiting.set(next++, line)
      lines += line
      soon ??= setImmediate(flush)
    },
    flush,
    answered(entries, epoch) {
      const seqs = entries.flatMap(entry => numbers.get(entry) ?? [])
      if (seqs.length === 0) return
      for (const seq of seqs) waiting.delete(seq)
      lines += answerLines(seqs, epoch)
      flush()
      turnOver()
    },
    files: () => listOutboxFiles(directory),
    close() {
      if (isClosed) return
      isClosed = true
      flush()
      clearTimeout(syncing)
      fdatasyncSync(file)
      closeSync(file)
    },
  }
}
