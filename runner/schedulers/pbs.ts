import { type Reading, readControl, readSubmission, textOf, wordsOf } from './answers.ts'
import { type CommandResult, LIST_TIMEOUT_MS, SUBMIT_TIMEOUT_MS } from './command.ts'
import { renderIndexList } from './ids.ts'
import { insidePbs } from './pbs/inside.ts'
import {
  type PbsId,
  parseComplaints,
  parseFull,
  parsePbsId,
  parseQueueLimits,
  sameAllocation,
  secondsLeft,
  toElements,
} from './pbs/listing.ts'
import { type PbsKind, renderPbs } from './pbs/script.ts'
import { limitTrouble, probeWithFiles } from './probe.ts'
import type { SchedulerRuntime } from './runtime.ts'
import { submitFiles } from './script-files.ts'
import type {
  CancelWhich,
  ControlOutcome,
  ListedElement,
  Listing,
  Scheduler,
  SiteLimits,
  SubmitOutcome,
} from './types.ts'
import { elementsOf } from './verdict.ts'

/** max_array_size, unless the site says otherwise. */
const ARRAY_MOST = 10_000

/** PBS's error numbers modulo 256: system error, no server, premature end; ECONNREFUSED, ETIMEDOUT; qstat's own for no connection. */
const AWAY_CODES: ReadonlySet<number> = new Set([162, 186, 183, 111, 110, 255])
const AWAY = /cannot connect to server|connection (refused|timed out)|unknown host|no default server|end of file/i
/** Unknown id, and finished while the server keeps history. */
const OVER_CODES: ReadonlySet<number> = new Set([153, 35])

const READING: Reading = {
  parseId(stdout) {
    const last = stdout.trimEnd().split('\n').at(-1)?.trim() ?? ''
    const id = parsePbsId(last)
    return id === undefined || id.index !== undefined ? undefined : last
  },
  isAway: (code, stderr) => AWAY_CODES.has(code) || AWAY.test(stderr),
}
const NOTHING_LEFT = /unknown job ?id|job has finished|request invalid for state of job/i

/** OpenPBS and PBS Pro, or Torque: qsub, qstat, qdel and qalter. */
export function createPbs({ run, clock }: SchedulerRuntime, kind: PbsKind): Scheduler {
  const ask = (...argv: [string, ...string[]]) => run(argv, { timeoutMs: LIST_TIMEOUT_MS })
  const render: Scheduler['renderScript'] = request => renderPbs(kind, request)
  // -x is XML in Torque, and a server without history prints nothing for it.
  let history = kind === 'pbs'

  async function submitScript(path: string, cwd: string): Promise<SubmitOutcome> {
    const result = await run(['qsub', path], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd })
    return readSubmission(result, READING, clock())
  }

  async function full(words: readonly string[]): Promise<CommandResult> {
    const result = await ask('qstat', '-f', ...(history ? ['-x'] : []), '-t', ...words)
    if (!history || result.kind !== 'exited' || !parseComplaints(result.stderr).noHistory) return result
    history = false
    return ask('qstat', '-f', '-t', ...words)
  }

  /** What stands under the ids, and which of them the server says are over. */
  async function listIds(ids: readonly string[], startedAtMs: number): Promise<Listing> {
    const listed = readFull(await full(ids))
    if ('trouble' in listed) return { kind: 'unknown', startedAtMs, message: listed.trouble }
    const asked = ids.map(id => ({ id, parts: parsePbsId(id) }))
    const known = (text: string): string | undefined => asked.find(({ parts }) => isSame(parts, parsePbsId(text)))?.id
    const elements = listed.elements.flatMap(row => {
      const allocation = known(row.allocation)
      return allocation === undefined ? [] : [{ ...row, allocation }]
    })
    const there = new Set(elements.map(row => row.allocation))
    const live = new Set(elements.filter(row => row.state !== 'gone').map(row => row.allocation))
    const over = new Set(listed.over.map(known))
    // Absence proves nothing here: only a final state, or the server's word for that very id.
    const gone = new Set(ids.filter(id => !live.has(id) && (there.has(id) || over.has(id))))
    return { kind: 'listed', startedAtMs, elements, gone }
  }

  /** Looks through everything on the server: there is no other way to find a job by its name. */
  async function listNames(names: readonly string[], startedAtMs: number): Promise<Listing> {
    const listed = readFull(await full([]))
    if ('trouble' in listed) return { kind: 'unknown', startedAtMs, message: listed.trouble }
    const elements = listed.elements.filter(row => names.includes(row.name))
    return { kind: 'listed', startedAtMs, elements, gone: new Set() }
  }

  async function limits(): Promise<SiteLimits> {
    const [queues, server] = (await Promise.all([ask('qstat', '-Q', '-f'), ask('qstat', '-B', '-f')])).map(textOf)
    const text = (answer: typeof queues): string => (answer !== undefined && 'text' in answer ? answer.text : '')
    const { arrayMost = ARRAY_MOST, ...others } = parseQueueLimits(text(queues), text(server))
    return { arrayMost, ...others }
  }

  async function cancelElements(id: string, indices: readonly number[]): Promise<ControlOutcome> {
    if (indices.length === 0) return { kind: 'done' }
    const list = renderIndexList(indices)
    if (kind === 'torque') return readControl(await ask('qdel', '-t', list, id), READING, NOTHING_LEFT)
    const ranges = list.split(',').map(range => id.replace('[]', `[${range}]`)) as [string, ...string[]]
    return readControl(await ask('qdel', ...ranges), READING, NOTHING_LEFT)
  }

  async function cancel(id: string, which: CancelWhich): Promise<ControlOutcome> {
    switch (which.kind) {
      case 'all':
        return readControl(await ask('qdel', id), READING, NOTHING_LEFT)
      case 'elements':
        return cancelElements(id, which.indices)
      case 'queued': {
        const listing = await listIds([id], clock())
        if (listing.kind === 'unknown') return { kind: 'unknown', message: listing.message }
        const rows = elementsOf(listing, id)
        const queued = rows.filter(row => row.state === 'queued')
        if (rows.length > 0 && rows.every(row => row.state === 'queued')) return cancel(id, { kind: 'all' })
        return cancelElements(
          id,
          queued.flatMap(row => row.index ?? []),
        )
      }
    }
  }

  return {
    name: kind,
    renderScript: render,
    limits,
    cancel,
    inside: system => insidePbs(kind, system),

    submitScript,
    submit: async request => submitFiles(request, render(request), submitScript),

    async list({ ids, names = [] }) {
      const startedAtMs = clock()
      const byId: Listing =
        ids.length === 0
          ? { kind: 'listed', startedAtMs, elements: [], gone: new Set() }
          : await listIds(ids, startedAtMs)
      if (names.length === 0 || byId.kind === 'unknown') return byId
      const byName = await listNames(names, startedAtMs)
      if (byName.kind === 'unknown') return byName
      const others = byName.elements.filter(row => !ids.includes(row.allocation))
      return { ...byId, elements: [...byId.elements, ...others] }
    },

    async setThrottle(id, most) {
      const words: [string, ...string[]] =
        kind === 'pbs' ? ['qalter', `-Wmax_run_subjobs=${most}`, id] : ['qalter', '-t', `%${most}`, id]
      return readControl(await ask(...words), READING, NOTHING_LEFT)
    },

    /** PBS has no check: the request is submitted held, and deleted. */
    async probe(request) {
      const trouble = limitTrouble(request, await limits())
      if (trouble !== undefined) return { kind: 'refused', message: trouble }
      const options = { timeoutMs: SUBMIT_TIMEOUT_MS }
      const held = await probeWithFiles(request, render, (script, cwd) =>
        run(['qsub', '-h', script], { ...options, cwd }),
      )
      const outcome = readSubmission(held, READING, clock())
      if (outcome.kind !== 'submitted') return outcome
      const deleted = await cancel(outcome.id, { kind: 'all' })
      if (deleted.kind === 'done')
        return { kind: 'accepted', message: `taken as ${outcome.id}, held, and deleted again` }
      return { kind: 'unknown', message: `taken as ${outcome.id} on hold, but deleting it failed: ${deleted.message}` }
    },

    async timeLeft({ elementId }) {
      const answer = textOf(await ask('qstat', '-f', elementId))
      if ('trouble' in answer) return { kind: 'unknown', message: answer.trouble }
      const attributes = parseFull(answer.text)?.[0]?.attributes
      if (attributes === undefined) return { kind: 'unknown', message: 'qstat printed what is no job' }
      const seconds = secondsLeft(attributes, clock())
      if (seconds !== undefined) return { kind: 'known', seconds }
      if (attributes.has('Resource_List.walltime')) return { kind: 'unknown', message: 'qstat tells no start' }
      return { kind: 'known', seconds: undefined }
    },
  }
}

const isSame = (a: PbsId | undefined, b: PbsId | undefined): boolean =>
  a !== undefined && b !== undefined && sameAllocation(a, b)

/** Elements of a listing and the ids it says are over; a listing with any other complaint is none. */
function readFull(result: CommandResult): { elements: ListedElement[]; over: string[] } | { trouble: string } {
  if (result.kind !== 'exited') return { trouble: wordsOf(result) }
  const { over, noHistory, other } = parseComplaints(result.stderr)
  const codeFits = over.length > 0 ? OVER_CODES.has(result.code) : result.code === 0
  if (other !== undefined || noHistory || !codeFits) return { trouble: wordsOf(result) }
  const jobs = parseFull(result.stdout)
  return jobs === undefined ? { trouble: 'qstat printed what is no listing' } : { elements: toElements(jobs), over }
}
