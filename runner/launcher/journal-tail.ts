import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type JournalRecord, parseRecord } from './records.ts'

const CHUNK_BYTES = 65_536

/** What is added to a journal from now on. Throws when it cannot be opened. */
export class JournalTail {
  readonly #file: number
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #at: number
  #rest = ''

  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.#at = fstatSync(this.#file).size
  }

  /** The records since the last call. A line that is still being written comes with the next one. */
  read(): JournalRecord[] {
    const lines = (this.#rest + this.#readText()).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map(parseRecord).filter(record => record !== undefined)
  }

  #readText(): string {
    let text = ''
    for (let length = CHUNK_BYTES; length === CHUNK_BYTES; this.#at += length) {
      length = readSync(this.#file, this.#chunk, 0, CHUNK_BYTES, this.#at)
      text += this.#chunk.toString('latin1', 0, length)
    }
    return text
  }

  close(): void {
    closeSync(this.#file)
  }
}
