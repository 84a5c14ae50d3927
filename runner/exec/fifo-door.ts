import { execFile } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isAlive, readProcess } from '../launcher/processes.ts'
import type { Door, DoorEvents } from './door.ts'
import { LineReader } from './line-reader.ts'

/**
 * The door without a compiler (native/hr-exec.sh is its client), over named pipes beside the place of the socket:
 *
 *   PATH.requests   all clients write `SLOT PID LINE`, which the system keeps whole up to 4 KiB
 *   PATH.reply.N    what is answered to the client that has slot N
 *   PATH.taken.N    made by the client that takes slot N, with its pid: whoever makes it has it
 *   PATH.pid        the resident part's process
 *   PATH.times.N, PATH.task.N.…   the client's own
 *
 * Nobody but the owner may open them, which is how the system checks the uid. A client's death is seen by looking.
 */
const SLOTS = 512
const LOOK_MS = 500
const BOTH_WAYS = constants.O_RDWR | constants.O_NONBLOCK

type Client = { connection: number; pid: number; slot: number; unsent: Buffer }

/** Opens the pipes; rejects when they cannot be made, or when another runner answers there. */
export async function openFifoDoor(path: string, events: DoorEvents): Promise<Door> {
  const door = new FifoDoor(path, events)
  await door.open()
  return door
}

class FifoDoor implements Door {
  readonly kind = 'shell'
  isInherited = false
  readonly #path: string
  readonly #events: DoorEvents
  readonly #clients = new Map<number, Client>()
  readonly #bySlot = new Map<number, Client>()
  /**
   * Open pipes to clients, by slot: opening one costs more than an answer. Looked up for every use, since pipes that were made anew have
   * other numbers, and the old ones are those of some other file by then.
   */
  readonly #replies = new Map<number, number>()
  #requests: Socket | undefined
  #looking: NodeJS.Timeout | undefined
  #lastConnection = 0
  #isMaking = false

  constructor(path: string, events: DoorEvents) {
    this.#path = path
    this.#events = events
  }

  async open(): Promise<void> {
    this.#refuseRival()
    this.isInherited = existsSync(`${this.#path}.pid`)
    await this.#makePipes()
    this.#looking = setInterval(() => this.#look(), LOOK_MS)
  }

  send(connection: number, line: string): void {
    const client = this.#clients.get(connection)
    if (client === undefined) return
    client.unsent = Buffer.concat([client.unsent, Buffer.from(`${line}\n`)])
    this.#flush(client)
  }

  /** It reads why, and ends by itself; the next look sees it. */
  drop(): void {}

  async close({ clean }: { clean: boolean }): Promise<void> {
    clearInterval(this.#looking)
    this.#requests?.destroy()
    this.#clients.clear()
    this.#closeReplies()
    for (const name of this.#ownFiles()) {
      const isKept = name.includes('.taken.') || (!clean && name.endsWith('.pid'))
      if (!isKept) rmSync(name, { force: true })
    }
  }

  #closeReplies(): void {
    for (const reply of this.#replies.values()) closeSync(reply)
    this.#replies.clear()
  }

  #refuseRival(): void {
    const [pid, ticks] = readText(`${this.#path}.pid`).split(' ').map(Number)
    const found = pid === undefined ? undefined : readProcess(pid)
    if (pid !== process.pid && isAlive(found) && found.startTicks === ticks)
      throw new Error('another runner answers there')
  }

  async #makePipes(): Promise<void> {
    for (const name of this.#ownFiles()) {
      // Of a launch that outlived its runner; the client gives it back.
      if (name.includes('.taken.') && isAlive(readProcess(Number(readText(name))))) continue
      rmSync(name, { force: true })
    }
    const replies = Array.from({ length: SLOTS }, (_, slot) => this.#file('reply', slot))
    await promisify(execFile)('mkfifo', ['-m', '600', `${this.#path}.requests`, ...replies])
    const reader = new LineReader()
    this.#requests?.destroy()
    this.#closeReplies()
    // Open for writing as well, so that it does not end when no client is there.
    this.#requests = new Socket({ fd: openSync(`${this.#path}.requests`, BOTH_WAYS), readable: true, writable: false })
    this.#requests.on('data', (chunk: Buffer) => this.#take(reader.read(chunk)))
    this.#requests.on('error', error =>
      this.#events.onLost(`The requests of local launches cannot be read: ${error.message}`),
    )
    // Last: whoever finds it finds all.
    const self = readProcess(process.pid)
    writeFileSync(`${this.#path}.pid`, `${process.pid} ${self?.startTicks ?? 0}\n`, { mode: 0o600 })
  }

  /** Somebody has cleaned up. What stands in the way is tried again with the next look. */
  async #makeAgain(): Promise<void> {
    this.#isMaking = true
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      await this.#makePipes()
      for (const client of this.#clients.values()) this.#flush(client)
    } catch {
      // The next look, then.
    }
    this.#isMaking = false
  }

  #file(kind: 'reply' | 'taken', slot: number): string {
    return `${this.#path}.${kind}.${slot}`
  }

  #ownFiles(): string[] {
    const [directory, prefix] = [dirname(this.#path), `${basename(this.#path)}.`]
    return readdirSync(directory)
      .filter(
        name =>
          name.startsWith(prefix) &&
          /^(pid|requests|(reply|taken|times)\.\d+|task\..*)$/.test(name.slice(prefix.length)),
      )
      .map(name => join(directory, name))
  }

  // ---- lines ----

  #take(lines: readonly string[]): void {
    const taken = lines.flatMap(text => {
      const match = /^(\d{1,3}) (\d{1,10}) (.*)$/.exec(text)
      if (match === null || Number(match[1]) >= SLOTS) return []
      const client = this.#clientOf(Number(match[1]), Number(match[2]))
      return client === undefined ? [] : [{ caller: client, line: match[3]! }]
    })
    if (taken.length > 0) this.#events.onLines(taken)
    for (const { caller, line } of taken) if (line.startsWith('end ')) this.#forget(caller)
  }

  #clientOf(slot: number, pid: number): Client | undefined {
    const known = this.#bySlot.get(slot)
    if (known?.pid === pid) return known
    if (known !== undefined) this.#lose(known)
    try {
      this.#openReply(slot)
      const client = { connection: ++this.#lastConnection, pid, slot, unsent: Buffer.alloc(0) }
      this.#clients.set(client.connection, client)
      this.#bySlot.set(slot, client)
      return client
    } catch {
      // Somebody has removed the pipe; the next look makes them anew.
      return undefined
    }
  }

  /** Throws when somebody has removed the pipe. */
  #openReply(slot: number): number {
    const reply = this.#replies.get(slot) ?? openSync(this.#file('reply', slot), BOTH_WAYS)
    this.#replies.set(slot, reply)
    return reply
  }

  #flush(client: Client): void {
    while (client.unsent.length > 0 && this.#clients.has(client.connection)) {
      try {
        client.unsent = client.unsent.subarray(writeSync(this.#openReply(client.slot), client.unsent))
      } catch (error) {
        // More than a pipe holds: the client reads slowly.
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') setTimeout(() => this.#flush(client), 1)
        return
      }
    }
  }

  // ---- ends ----

  #forget(client: Client): void {
    if (!this.#clients.delete(client.connection)) return
    if (this.#bySlot.get(client.slot) === client) this.#bySlot.delete(client.slot)
    client.unsent = Buffer.alloc(0)
    try {
      unlinkSync(this.#file('taken', client.slot))
    } catch {
      // Removed with its directory.
    }
  }

  /** What a client that died has not read must not meet the next one. */
  #empty({ slot }: Client): void {
    const reply = this.#replies.get(slot)
    if (reply === undefined) return
    try {
      while (readSync(reply, Buffer.alloc(4096)) > 0);
    } catch {
      // Nothing more in it.
    }
  }

  #lose(client: Client): void {
    const { connection, pid } = client
    this.#empty(client)
    this.#forget(client)
    this.#events.onLines([{ caller: { connection, pid }, line: 'gone 0' }])
  }

  #look(): void {
    for (const client of [...this.#clients.values()]) if (!isAlive(readProcess(client.pid))) this.#lose(client)
    if (!this.#isMaking && statSync(`${this.#path}.requests`, { throwIfNoEntry: false })?.isFIFO() !== true)
      void this.#makeAgain()
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
