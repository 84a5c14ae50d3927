import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { endInput, sendTogether } from '../launcher/send.ts'
import type { Caller, Door, DoorEvents } from './door.ts'
import { LineReader } from './line-reader.ts'

/** A gate that does not speak by then was built for another machine. */
const HELLO_PATIENCE_MS = 10_000

/** The gate itself does not run here, as one that was built for another machine. */
export class GateError extends Error {}

type Gate = ChildProcess & { stdin: Writable; stdout: Readable }

/** Opens the socket through the native gate; rejects with the reason when the gate cannot run or the socket cannot be had. */
export async function openNativeDoor(binary: string, path: string, events: DoorEvents): Promise<Door> {
  // A session of its own: an interrupt at the terminal is the runner's to handle.
  const gate = spawn(binary, [path], { stdio: ['pipe', 'pipe', 'inherit'], detached: true }) as Gate
  // Writing to a gate that has died: its end is noticed by 'close'.
  gate.stdin.on('error', () => {})
  const reader = new LineReader()
  const { isInherited, lines: first } = await readHello(gate, reader)
  let closing = false
  const ended = new Promise<void>(resolve => {
    gate.once('close', () => {
      if (!closing) events.onLost('The gate of local launches ended unexpectedly')
      resolve()
    })
  })

  function handle(lines: readonly string[]): void {
    if (lines.length > 0) events.onLines(lines.map(parseGateLine))
  }
  gate.stdout.on('data', (chunk: Buffer) => handle(reader.read(chunk)))
  handle(first)

  const send = (connection: number, line: string): void => sendTogether(gate.stdin, `${connection} ${line}\n`)
  return {
    kind: 'native',
    isInherited,
    send,
    drop: connection => send(connection, 'drop'),
    async close({ clean }) {
      closing = true
      if (clean) rmSync(`${path}.lock`, { force: true })
      endInput(gate.stdin)
      await ended
    },
  }
}

type Hello = { isInherited: boolean; lines: string[] }

/** Waits for the gate's first word, with which others may come. */
async function readHello(gate: Gate, reader: LineReader): Promise<Hello> {
  try {
    return await new Promise<Hello>((resolve, reject) => {
      setTimeout(() => reject(new GateError('its gate keeps silent')), HELLO_PATIENCE_MS).unref()
      gate.once('error', error => reject(new GateError(error.message)))
      gate.once('close', code => reject(new GateError(`its gate ended with ${code}`)))
      gate.stdout.on('data', (chunk: Buffer) => {
        const [word, ...lines] = reader.read(chunk)
        if (word?.startsWith('ready ')) resolve({ isInherited: word === 'ready again', lines })
        else if (word !== undefined) reject(new Error(word.replace(/^failed /, '')))
      })
    })
  } catch (error) {
    gate.kill('SIGKILL')
    throw error
  } finally {
    gate.removeAllListeners('error').removeAllListeners('close').stdout.removeAllListeners('data')
    gate.on('error', () => {})
  }
}

/** CONNECTION PID LINE, as native/gate.c writes it. */
function parseGateLine(text: string): { caller: Caller; line: string } {
  const pidAt = text.indexOf(' ') + 1
  const lineAt = text.indexOf(' ', pidAt) + 1
  const caller = { connection: Number(text.slice(0, pidAt - 1)), pid: Number(text.slice(pidAt, lineAt - 1)) }
  return { caller, line: text.slice(lineAt) }
}
