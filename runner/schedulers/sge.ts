import { type Reading, readControl, readProbe, readSubmission, textOf } from './answers.ts'
import { LIST_TIMEOUT_MS, SUBMIT_TIMEOUT_MS } from './command.ts'
import { renderIndexList } from './ids.ts'
import { limitTrouble, probeWithFiles } from './probe.ts'
import type { SchedulerRuntime } from './runtime.ts'
import { submitFiles } from './script-files.ts'
import { insideSge } from './sge/inside.ts'
import { parseListing, parseRunTime, parseStart } from './sge/listing.ts'
import { renderSge } from './sge/script.ts'
import type { CancelWhich, ControlOutcome, Listing, ListQuery, Scheduler, SiteLimits, SubmitOutcome } from './types.ts'
import { elementsOf, goneOf } from './verdict.ts'

/** max_aj_tasks, unless the site says otherwise. */
const ARRAY_MOST = 75_000

const AWAY =
  /commlib error|unable to send message to qmaster|unable to contact qmaster|unable to read qmaster name|got (send|select|read) error|error reading answer|timeout/i
const READING: Reading = {
  parseId: stdout =>
    /^(\d+)(?:\.(\d+)-(\d+):(\d+))?$/m.exec(stdout.trim())?.[1] ??
    /^Your job(?:-array)? (\d+)[. ].* has been submitted/m.exec(stdout)?.[1],
  isAway: (_code, stderr) => AWAY.test(stderr),
}
const NOTHING_LEFT = /^denied: job(?:-array)? "[^"]*" does not exist|already in deletion|does not exist/i

/** Grid Engine: qsub, qstat, qdel, qalter and qconf. */
export function createSge({ run, clock, user }: SchedulerRuntime): Scheduler {
  const ask = (...argv: [string, ...string[]]) => run(argv, { timeoutMs: LIST_TIMEOUT_MS })
  const listAll = () => ask('qstat', '-xml', '-g', 'd', '-u', user).then(textOf)

  async function list({ ids, names = [] }: ListQuery): Promise<Listing> {
    const startedAtMs = clock()
    if (ids.length + names.length === 0) return { kind: 'listed', startedAtMs, elements: [], gone: new Set() }
    const answer = await listAll()
    if ('trouble' in answer) return { kind: 'unknown', startedAtMs, message: answer.trouble }
    const all = parseListing(answer.text)
    if (all === undefined) return { kind: 'unknown', startedAtMs, message: 'qstat printed what is no listing' }
    const asked = new Set([...ids, ...names])
    const elements = all.filter(row => asked.has(row.allocation) || asked.has(row.name))
    return { kind: 'listed', startedAtMs, elements, gone: goneOf(ids, elements) }
  }

  async function cancelElements(id: string, indices: readonly number[]): Promise<ControlOutcome> {
    if (indices.length === 0) return { kind: 'done' }
    // qdel takes one range at a time.
    for (const range of renderIndexList(indices).split(',')) {
      const outcome = readControl(await ask('qdel', id, '-t', range), READING, NOTHING_LEFT)
      if (outcome.kind !== 'done') return outcome
    }
    return { kind: 'done' }
  }

  async function cancel(id: string, which: CancelWhich): Promise<ControlOutcome> {
    switch (which.kind) {
      case 'all':
        return readControl(await ask('qdel', id), READING, NOTHING_LEFT)
      case 'elements':
        return cancelElements(id, which.indices)
      case 'queued': {
        const listing = await list({ ids: [id] })
        if (listing.kind === 'unknown') return { kind: 'unknown', message: listing.message }
        const queued = elementsOf(listing, id).filter(row => row.state === 'queued')
        if (queued.some(row => row.index === undefined)) return cancel(id, { kind: 'all' })
        return cancelElements(
          id,
          queued.flatMap(row => row.index ?? []),
        )
      }
    }
  }

  async function submitScript(path: string, cwd: string): Promise<SubmitOutcome> {
    const result = await run(['qsub', '-terse', path], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd })
    return readSubmission(result, READING, clock())
  }

  async function limits(): Promise<SiteLimits> {
    const answer = textOf(await ask('qconf', '-sconf'))
    const most = 'text' in answer ? /^max_aj_tasks\s+(\d+)/m.exec(answer.text)?.[1] : undefined
    return { arrayMost: most === undefined ? ARRAY_MOST : Number(most) }
  }

  return {
    name: 'sge',
    renderScript: renderSge,
    list,
    cancel,
    limits,
    inside: insideSge,

    submitScript,
    submit: async request => submitFiles(request, renderSge(request), submitScript),

    async setThrottle(id, most) {
      return readControl(await ask('qalter', '-tc', String(most), id), READING, NOTHING_LEFT)
    },

    async probe(request) {
      const trouble = limitTrouble(request, await limits())
      if (trouble !== undefined) return { kind: 'refused', message: trouble }
      const result = await probeWithFiles(request, renderSge, (script, cwd) =>
        run(['qsub', '-w', 'v', script], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd }),
      )
      return readProbe(result, READING)
    },

    /** The limit stands with the request, the start in the listing: two questions, asked once by an allocation. */
    async timeLeft({ id, index }) {
      const answers = await Promise.all([ask('qstat', '-j', id).then(textOf), listAll()])
      const [request, listing] = answers
      if ('trouble' in request) return { kind: 'unknown', message: request.trouble }
      const seconds = parseRunTime(request.text)
      if (seconds === undefined) return { kind: 'known', seconds: undefined }
      if ('trouble' in listing) return { kind: 'unknown', message: listing.trouble }
      const startedAtMs = parseStart(listing.text, id, index)
      if (startedAtMs === undefined) return { kind: 'unknown', message: 'qstat tells no start' }
      return { kind: 'known', seconds: Math.floor(seconds - (clock() - startedAtMs) / 1000) }
    },
  }
}
