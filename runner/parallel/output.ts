import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import type { LogFiles } from '../stdio.ts'

/** Whom output goes to: a stream that takes everything at once. */
export type Sink = { write(chunk: Buffer | string): unknown }

export type Sinks = { stdout: Sink; stderr: Sink }

const CHUNK_BYTES = 65_536

/** Prints what a job wrote, its standard output first, each line behind `tag` if there is one; then removes its files. */
export function printOutput(logs: LogFiles, tag: string | undefined, { stdout, stderr }: Sinks): void {
  copy(logs.stdout, stdout, tag)
  if (logs.stderr !== 'stdout') copy(logs.stderr, stderr, tag)
}

function copy(path: string | null, sink: Sink, tag: string | undefined): void {
  if (path === null || !existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const write = tag === undefined ? (chunk: Buffer) => void sink.write(chunk) : createTagger(sink, tag)
    // A sink may keep a chunk until later, so each has memory of its own.
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const length = readSync(file, chunk)
      if (length === 0) break
      write(chunk.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
  rmSync(path, { force: true })
}

function createTagger(sink: Sink, tag: string): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let isLineStart = true
  return chunk => {
    const text = decoder.write(chunk)
    if (text === '') return
    const tagged = text.replace(/(?<=\n)(?!$)/g, () => tag)
    sink.write(isLineStart ? `${tag}${tagged}` : tagged)
    isLineStart = text.endsWith('\n')
  }
}
