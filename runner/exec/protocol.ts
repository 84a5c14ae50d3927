import type { Grant, Need } from '../capacity/ledger.ts'

/**
 * What clients (native/node.c, native/hr-exec.sh) and the resident part say to each other. One line, one message; words are separated
 * by a blank, `-` is none, the command is the rest of the line.
 *
 *   ask 1 CORES GPUS BYTES WITHIN RECORD COMMAND                       lend me this; stays unanswered until it is there
 *   adopt 1 ID CORE,… GPU,… BYTES GROUP STARTED WITHIN RECORD COMMAND  lent by your predecessor, and still in use
 *   started GROUP                                                      the processes to end when I am gone; stays with the gate
 *   end CODE STARTED EXITED USER SYSTEM PEAK                           it is over; moments and CPU times in ms, 0 = not known
 *   status 1                                                           who holds, who waits?
 *
 *   grant ID BIND CORE,… GPU,…                                         BIND: the cores are this machine's
 *   refuse CODE TEXT                                                   end with this code and say this
 *   status JSON
 */
const VERSION = '1'

/** Where the record of a launch goes: a workflow, where the resident part sends all, or nowhere. */
export type Recording = number | 'usual' | 'none'

/** What every request tells about its launch. */
export type About = {
  /** The grant that the launch was started in; it then lends of that. */
  within: string | undefined
  record: Recording
  command: string
}

export type Ask = About & { type: 'ask'; need: Need }
export type Adopt = About & { type: 'adopt'; id: string; held: Grant; group: number; startedAtMs: number }
/** 0 for what the client does not know. */
export type End = {
  type: 'end'
  code: number
  startedAtMs: number
  exitedAtMs: number
  userMs: number
  systemMs: number
  peakMemoryBytes: number
}
/** Told by the door: the client went away without `end`. */
export type Gone = { type: 'gone'; group: number }

export type ClientMessage = Ask | Adopt | End | Gone | { type: 'status' }

/** Reads a line; undefined when it is none that a client of this version sends. */
export function parseClientLine(line: string): ClientMessage | undefined {
  const words = line.split(' ')
  switch (words[0]) {
    case 'ask':
      return words[1] === VERSION ? parseAsk(words) : undefined
    case 'adopt':
      return words[1] === VERSION ? parseAdopt(words) : undefined
    case 'end':
      return parseEnd(words)
    case 'gone': {
      const [group] = numbers(words.slice(1), 1) ?? []
      return group === undefined ? undefined : { type: 'gone', group }
    }
    case 'status':
      return words[1] === VERSION ? { type: 'status' } : undefined
    default:
      return undefined
  }
}

function parseAsk(words: readonly string[]): Ask | undefined {
  const amounts = numbers(words.slice(2), 3)
  const about = parseAbout(words.slice(5))
  if (amounts === undefined || about === undefined) return undefined
  const [cpus = 0, gpus = 0, memoryBytes = 0] = amounts
  return cpus < 1 ? undefined : { type: 'ask', need: { cpus, gpus, memoryBytes }, ...about }
}

function parseAdopt(words: readonly string[]): Adopt | undefined {
  const [, , id = '', coreWord = '', gpuWord = ''] = words
  const amounts = numbers(words.slice(5), 3)
  const cores = numbers(parseList(coreWord), parseList(coreWord).length)
  const about = parseAbout(words.slice(8))
  if (id === '' || amounts === undefined || cores === undefined || about === undefined) return undefined
  const [memoryBytes = 0, group = 0, startedAtMs = 0] = amounts
  return { type: 'adopt', id, held: { cores, gpus: parseList(gpuWord), memoryBytes }, group, startedAtMs, ...about }
}

function parseAbout([within, record, ...command]: readonly string[]): About | undefined {
  const recording = parseRecording(record)
  if (within === undefined || recording === undefined || command.length === 0) return undefined
  return { within: within === '-' ? undefined : within, record: recording, command: command.join(' ') }
}

function parseRecording(word: string | undefined): Recording | undefined {
  if (word === '-') return 'usual'
  if (word === 'none') return 'none'
  return word !== undefined && /^[1-9]\d{0,14}$/.test(word) ? Number(word) : undefined
}

function parseEnd(words: readonly string[]): End | undefined {
  const values = numbers(words.slice(1), 6)
  if (values === undefined) return undefined
  const [code = 0, startedAtMs = 0, exitedAtMs = 0, userMs = 0, systemMs = 0, peakMemoryBytes = 0] = values
  return { type: 'end', code, startedAtMs, exitedAtMs, userMs, systemMs, peakMemoryBytes }
}

/** The first words as amounts, none of them negative; undefined when one is no number. */
function numbers(words: readonly string[], count: number): number[] | undefined {
  const values = words.slice(0, count).map(word => (/^\d{1,15}(\.\d+)?$/.test(word) ? Number(word) : Number.NaN))
  return values.length === count && !values.some(Number.isNaN) ? values : undefined
}

const parseList = (word: string): string[] => (word === '-' || word === '' ? [] : word.split(','))

const formatList = (items: readonly (string | number)[]): string => (items.length === 0 ? '-' : items.join(','))

export const formatGrant = (id: string, bind: boolean, { cores, gpus }: Grant): string =>
  `grant ${id} ${bind ? 1 : 0} ${formatList(cores)} ${formatList(gpus)}`

/** What the client ends with, and the one line it says. */
export const formatRefusal = (code: number, text: string): string => `refuse ${code} ${text}`
