import { type Reading, readControl, readProbe, readSubmission, textOf } from './answers.ts'
import { LIST_TIMEOUT_MS, SUBMIT_TIMEOUT_MS } from './command.ts'
import { renderIndexList } from './ids.ts'
import { limitTrouble, probeWithFiles } from './probe.ts'
import type { SchedulerRuntime } from './runtime.ts'
import { submitFiles } from './script-files.ts'
import { insideSlurm } from './slurm/inside.ts'
import { LISTING_FORMAT, parseListing, parsePartitions, parseTimeLeft } from './slurm/listing.ts'
import { renderSlurm } from './slurm/script.ts'
import type { CancelWhich, ListedElement, Scheduler, SiteLimits, SubmitOutcome } from './types.ts'
import { goneOf } from './verdict.ts'

/** Indices are below MaxArraySize, which is 1001 unless the site says otherwise. */
const ARRAY_MOST = 1000

const AWAY =
  /unable to contact slurm controller|socket timed out|connect failure|connection (refused|timed out|reset)|zero bytes were transmitted|transport endpoint|unable to process configuration file|unable to establish control/i
const READING: Reading = {
  parseId: stdout => /^(\d+)(?:;\S+)?$/.exec(stdout.trim())?.[1] ?? /^Submitted batch job (\d+)/m.exec(stdout)?.[1],
  isAway: (_code, stderr) => AWAY.test(stderr),
}
const NOTHING_LEFT = /invalid job id specified|already (completing|finished)|job\/step already completing/i

/** Slurm, by sbatch, squeue, scancel, scontrol and sinfo. */
export function createSlurm({ run, clock }: SchedulerRuntime): Scheduler {
  const ask = (...argv: [string, ...string[]]) => run(argv, { timeoutMs: LIST_TIMEOUT_MS })

  async function submitScript(path: string, cwd: string): Promise<SubmitOutcome> {
    const result = await run(['sbatch', '--parsable', path], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd })
    return readSubmission(result, READING, clock())
  }

  async function limits(): Promise<SiteLimits> {
    const [config, partitions] = await Promise.all([
      ask('scontrol', 'show', 'config').then(textOf),
      ask('sinfo', '-h', '-o', '%P|%l').then(textOf),
    ])
    const most = 'text' in config ? /^MaxArraySize\s*=\s*(\d+)/m.exec(config.text)?.[1] : undefined
    return {
      arrayMost: most === undefined ? ARRAY_MOST : Math.max(0, Number(most) - 1),
      ...('text' in partitions ? parsePartitions(partitions.text) : {}),
    }
  }

  return {
    name: 'slurm',
    renderScript: renderSlurm,
    limits,
    inside: insideSlurm,

    submitScript,
    submit: async request => submitFiles(request, renderSlurm(request), submitScript),

    async list({ ids, names = [] }) {
      const startedAtMs = clock()
      if (ids.length + names.length === 0) return { kind: 'listed', startedAtMs, elements: [], gone: new Set() }
      const answer = textOf(await ask('squeue', '-h', '--me', '-t', 'all', '-r', '-o', LISTING_FORMAT))
      if ('trouble' in answer) return { kind: 'unknown', startedAtMs, message: answer.trouble }
      const all = parseListing(answer.text)
      if (all === undefined) return { kind: 'unknown', startedAtMs, message: 'squeue printed what is no listing' }
      const asked = new Set([...ids, ...names])
      const elements = all.filter((row: ListedElement) => asked.has(row.allocation) || asked.has(row.name))
      return { kind: 'listed', startedAtMs, elements, gone: goneOf(ids, elements) }
    },

    async cancel(id, which) {
      if (which.kind === 'elements' && which.indices.length === 0) return { kind: 'done' }
      return readControl(await ask('scancel', ...cancelWords(id, which)), READING, NOTHING_LEFT)
    },

    async setThrottle(id, most) {
      const result = await ask('scontrol', 'update', `jobid=${id}`, `arraytaskthrottle=${most}`)
      return readControl(result, READING, NOTHING_LEFT)
    },

    async probe(request) {
      const result = await probeWithFiles(request, renderSlurm, (script, cwd) =>
        run(['sbatch', '--test-only', script], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd }),
      )
      const outcome = readProbe(result, READING)
      if (outcome.kind !== 'accepted') return outcome
      // Slurm's own check lets a walltime pass that is over the partition's limit, and the job then waits for ever.
      const trouble = limitTrouble(request, await limits())
      return trouble === undefined ? outcome : { kind: 'refused', message: trouble }
    },

    async timeLeft({ elementId }) {
      const answer = textOf(await ask('squeue', '-h', '-j', elementId, '-o', '%L'))
      if ('trouble' in answer) return { kind: 'unknown', message: answer.trouble }
      const left = parseTimeLeft(answer.text)
      return left === undefined
        ? { kind: 'unknown', message: `squeue printed ${JSON.stringify(answer.text)}` }
        : { kind: 'known', seconds: left.seconds }
    },
  }
}

function cancelWords(id: string, which: CancelWhich): string[] {
  switch (which.kind) {
    case 'all':
      return [id]
    case 'queued':
      return ['--state=PENDING', id]
    case 'elements':
      return [which.indices.length === 1 ? `${id}_${which.indices[0]}` : `${id}_[${renderIndexList(which.indices)}]`]
  }
}
