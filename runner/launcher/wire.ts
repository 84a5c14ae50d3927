import { constants } from 'node:os'
import { addEnd } from './outcome.ts'
import { encodeLabel, listOverlay, memoryMib } from './request.ts'
import type { Exited, LaunchRequest, Started } from './types.ts'

/**
 * The frames between Node and the native launcher: a length, a type, then fixed fields, all u32 and f64 in the machine's
 * own byte order (little-endian on both supported architectures). Strings end in NUL, so that the launcher uses them where they lie.
 */
export const WIRE_VERSION = 2

const REQUEST = { launch: 1, signal: 2, recall: 3, close: 4, keep: 5 } as const
const REPORT = { hello: 1, started: 2, exited: 3, recalled: 4 } as const
const COMBINED = 1
const AFTER = 2
const LAUNCH_HEADER_BYTES = 36

export type Report =
  | { type: 'hello'; version: number }
  | { type: 'started'; started: Started }
  | { type: 'exited'; exited: Exited }
  | { type: 'recalled'; tag: number; recalled: boolean }

export function encodeLaunch(request: LaunchRequest): Buffer {
  const overlay = listOverlay(request.env)
  const combined = request.stderr === 'stdout'
  const strings = [
    encodeLabel(request.label),
    request.cwd ?? '',
    request.stdout ?? '',
    combined ? '' : (request.stderr ?? ''),
    ...request.argv,
    ...overlay,
  ]
  const text = `${strings.join('\0')}\0`
  const cpus = request.cpus ?? []
  const textAt = LAUNCH_HEADER_BYTES + 4 * cpus.length
  const frame = Buffer.allocUnsafe(textAt + Buffer.byteLength(text))
  const flags = (combined ? COMBINED : 0) | (request.after === undefined ? 0 : AFTER)
  let at = 0
  const put = (value: number) => {
    at = frame.writeUInt32LE(value, at)
  }
  put(frame.length - 4)
  put(REQUEST.launch)
  put(request.tag)
  put(flags)
  put(request.after ?? 0)
  put(request.argv.length)
  put(overlay.length)
  put(cpus.length)
  put(memoryMib(request))
  for (const cpu of cpus) put(cpu)
  frame.write(text, textAt)
  return frame
}

function encodeWords(...words: number[]): Buffer {
  const frame = Buffer.allocUnsafe(4 + 4 * words.length)
  frame.writeUInt32LE(4 * words.length)
  words.forEach((word, index) => {
    frame.writeUInt32LE(word, 4 + 4 * index)
  })
  return frame
}

export function encodeSignal(tag: number, signal: NodeJS.Signals): Buffer {
  return encodeWords(REQUEST.signal, tag, constants.signals[signal])
}

export function encodeRecall(tag: number): Buffer {
  return encodeWords(REQUEST.recall, tag)
}

export function encodeClose(kill: boolean): Buffer {
  return encodeWords(REQUEST.close, kill ? 1 : 0)
}

/** This runner answers for the jobs it has found. */
export function encodeKeep(): Buffer {
  return encodeWords(REQUEST.keep)
}

function decodeExited(frame: DataView): Exited {
  const exited: Exited = {
    tag: frame.getUint32(4, true),
    strays: frame.getUint32(24, true),
    startedAtMs: frame.getFloat64(28, true),
    exitedAtMs: frame.getFloat64(36, true),
    userMs: frame.getFloat64(44, true),
    systemMs: frame.getFloat64(52, true),
  }
  const [code, signal] = [frame.getInt32(8, true), frame.getUint32(12, true)]
  const [error, step] = [frame.getUint32(16, true), frame.getUint32(20, true)]
  addEnd(exited, code, signal, error, step, frame.getFloat64(60, true))
  return exited
}

function decodeReport(frame: DataView): Report {
  const type = frame.getUint32(0, true)
  switch (type) {
    case REPORT.hello:
      return { type: 'hello', version: frame.getUint32(4, true) }
    case REPORT.started: {
      const started = {
        tag: frame.getUint32(4, true),
        pid: frame.getUint32(8, true),
        startedAtMs: frame.getFloat64(12, true),
      }
      return { type: 'started', started }
    }
    case REPORT.exited:
      return { type: 'exited', exited: decodeExited(frame) }
    case REPORT.recalled:
      return { type: 'recalled', tag: frame.getUint32(4, true), recalled: frame.getUint32(8, true) === 1 }
    default:
      throw new Error(`Cannot read a report of the launcher: its type is ${type}`)
  }
}

/** Cuts a stream of bytes into reports; an incomplete one waits for the next chunk. */
export class ReportReader {
  #rest: Buffer = Buffer.alloc(0)

  read(chunk: Buffer): Report[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const reports: Report[] = []
    let at = 0
    while (data.length - at >= 4) {
      const length = view.getUint32(at, true)
      if (data.length - at - 4 < length) break
      reports.push(decodeReport(new DataView(data.buffer, data.byteOffset + at + 4, length)))
      at += 4 + length
    }
    this.#rest = data.subarray(at)
    return reports
  }
}
