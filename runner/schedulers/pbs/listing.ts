import { parseClockTime } from '../amounts.ts'
import type { ListedElement, SiteLimits, Verdict } from '../types.ts'

/** A job's attributes as `qstat -f` prints them, under its id. */
type PbsJob = { id: string; attributes: ReadonlyMap<string, string> }

/** An id in its parts: `123.srv`, `123[].srv` (a whole array), `123[7].srv` (an element). */
export type PbsId = { number: string; array: boolean; index?: number; server: string }

export function parsePbsId(text: string): PbsId | undefined {
  const [, number, brackets, index, server] = /^(\d+)(\[(\d*)\])?\.(\S+)$/.exec(text) ?? []
  if (number === undefined) return undefined
  return { number, array: brackets !== undefined, index: index ? Number(index) : undefined, server: server! }
}

/** The whole allocation that an id belongs to. */
export const allocationOf = ({ number, array, server }: PbsId): string => `${number}${array ? '[]' : ''}.${server}`

/** Servers call themselves by a short name here and a long one there; numbers are unique for each. */
export const sameAllocation = (a: PbsId, b: PbsId): boolean =>
  a.number === b.number && a.array === b.array && shortName(a.server) === shortName(b.server)

const shortName = (server: string): string => server.split('.')[0]!

const STATES: Record<string, Verdict> = {
  Q: 'queued',
  H: 'queued',
  W: 'queued',
  T: 'queued',
  R: 'running',
  E: 'running',
  B: 'running',
  S: 'running',
  U: 'running',
  F: 'gone',
  X: 'gone',
  C: 'gone',
  // M went to another server, which only knows; it stays unknown.
}

/** Reads the text form: one block for each job; long values go on after a tab. undefined when it is none. */
export function parseFull(text: string): PbsJob[] | undefined {
  const jobs: { id: string; attributes: Map<string, string> }[] = []
  for (const line of text.replaceAll('\n\t', '').split('\n')) {
    const id = /^Job Id: (\S+)$/.exec(line)?.[1]
    const [, name, value] = /^ {4}(\S+) = (.*)$/.exec(line) ?? []
    if (id !== undefined) jobs.push({ id, attributes: new Map() })
    else if (name !== undefined && jobs.length > 0) jobs.at(-1)!.attributes.set(name, value!)
    // A value may hold line ends of its own; only what stands before the first job is no listing.
    else if (line.trim() !== '' && jobs.length === 0) return undefined
  }
  return jobs
}

/** Jobs as elements. What stands for a whole array is left out while its elements tell more. */
export function toElements(jobs: readonly PbsJob[]): ListedElement[] {
  const elements = jobs.flatMap(toElement)
  const live = new Set(
    elements.filter(row => row.index !== undefined && row.state !== 'gone').map(row => row.allocation),
  )
  return elements.filter(row => row.index !== undefined || !live.has(row.allocation))
}

function toElement({ id, attributes }: PbsJob): ListedElement[] {
  const parts = parsePbsId(id)
  if (parts === undefined) return []
  const word = attributes.get('job_state') ?? ''
  return [
    {
      allocation: allocationOf(parts),
      index: parts.index,
      state: STATES[word] ?? 'unknown',
      word,
      reason: attributes.get('comment'),
      // Nobody of ours holds a job: the server does after many failed starts, or a person.
      stuck: word === 'H',
      name: ownName(attributes.get('Job_Name') ?? '', parts.index),
      nodes: attributes.get('exec_host'),
      secondsLeft: secondsLeft(attributes, undefined),
    },
  ]
}

/** Torque puts the index behind the name of an element. */
function ownName(name: string, index: number | undefined): string {
  const suffix = `-${index}`
  return index !== undefined && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name
}

/** Time left by a job's attributes: as the server counts it, else by its start and `nowMs`. */
export function secondsLeft(attributes: ReadonlyMap<string, string>, nowMs: number | undefined): number | undefined {
  const remaining = Number(attributes.get('Walltime.Remaining') ?? Number.NaN)
  if (!Number.isNaN(remaining)) return remaining
  const walltime = parseClockTime(attributes.get('Resource_List.walltime') ?? '')
  if (walltime === undefined) return undefined
  const startedAtMs = Date.parse(attributes.get('stime') ?? attributes.get('start_time') ?? '')
  if (nowMs !== undefined && !Number.isNaN(startedAtMs)) return Math.floor(walltime - (nowMs - startedAtMs) / 1000)
  const used = parseClockTime(attributes.get('resources_used.walltime') ?? '')
  return used === undefined ? undefined : walltime - used
}

/** What the error lines of qstat say of single ids. */
type Complaints = {
  /** Ids that the server has no more. */
  over: string[]
  /** The server keeps no history: the same again without -x. */
  noHistory: boolean
  /** A line that is about something else: then nothing of the listing counts. */
  other?: string
}

const UNKNOWN_ID = /^qstat: Unknown Job Id (?:Error )?(\S+)$/
const FINISHED = /^qstat: (\S+) Job has finished, use -x or -H to obtain historical job information$/
const NO_HISTORY = /PBS is not configured to maintain job history/

export function parseComplaints(stderr: string): Complaints {
  const complaints: Complaints = { over: [], noHistory: false }
  for (const line of stderr.split('\n').map(text => text.trim())) {
    const over = UNKNOWN_ID.exec(line)?.[1] ?? FINISHED.exec(line)?.[1]
    if (over !== undefined) complaints.over.push(over)
    else if (NO_HISTORY.test(line)) complaints.noHistory = true
    else if (line !== '') complaints.other = line
  }
  return complaints
}

/** Limits of `qstat -Q -f` and the default queue of `qstat -B -f`. */
export function parseQueueLimits(
  queues: string,
  server: string,
): Omit<SiteLimits, 'arrayMost'> & { arrayMost?: number } {
  const walltimeSeconds: Record<string, number> = {}
  for (const block of queues.split(/^Queue: /m).slice(1)) {
    const name = block.split('\n')[0]!.trim()
    const longest = parseClockTime(/^ {4}resources_max\.walltime = (\S+)$/m.exec(block)?.[1] ?? '')
    if (longest !== undefined) walltimeSeconds[name] = longest
  }
  const most = /^ {4}max_array_size = (\d+)$/m.exec(server)?.[1]
  return {
    walltimeSeconds,
    defaultQueue: /^ {4}default_queue = (\S+)$/m.exec(server)?.[1],
    arrayMost: most === undefined ? undefined : Number(most),
  }
}
