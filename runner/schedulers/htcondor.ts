import { type Reading, readControl, readProbe, readSubmission, textOf } from './answers.ts'
import { LIST_TIMEOUT_MS, SUBMIT_TIMEOUT_MS } from './command.ts'
import { insideHtcondor } from './htcondor/inside.ts'
import { ATTRIBUTES, constraintOf, parseListing } from './htcondor/listing.ts'
import { renderHtcondor } from './htcondor/script.ts'
import { limitTrouble, probeWithFiles } from './probe.ts'
import type { SchedulerRuntime } from './runtime.ts'
import { submitFiles } from './script-files.ts'
import type { CancelWhich, Scheduler, SiteLimits, SubmitOutcome } from './types.ts'
import { goneOf } from './verdict.ts'

/** MAX_JOBS_PER_SUBMISSION, unless the site says otherwise. */
const ARRAY_MOST = 20_000

const AWAY = /failed to (fetch ads|connect|end classad|start)|secman|can't find address|timed? ?out|extra info:|cedar/i
const READING: Reading = {
  parseId: stdout =>
    /^(\d+)\.(\d+) - (\d+)\.(\d+)$/m.exec(stdout.trim())?.[1] ??
    /^\d+ job\(s\) submitted to cluster (\d+)\.$/m.exec(stdout)?.[1],
  isAway: (_code, stderr) => AWAY.test(stderr),
}
const NOTHING_LEFT =
  /couldn't find\/remove all jobs|not found|already marked for removal|there are no jobs in the queue/i

/** HTCondor: condor_submit, condor_q, condor_rm. */
export function createHtcondor({ run, clock }: SchedulerRuntime): Scheduler {
  const ask = (...argv: [string, ...string[]]) => run(argv, { timeoutMs: LIST_TIMEOUT_MS })

  async function submitScript(path: string, cwd: string): Promise<SubmitOutcome> {
    const result = await run(['condor_submit', '-terse', path], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd })
    return readSubmission(result, READING, clock())
  }

  async function limits(): Promise<SiteLimits> {
    const answer = textOf(await ask('condor_config_val', 'MAX_JOBS_PER_SUBMISSION'))
    const most = 'text' in answer ? /^(\d+)$/.exec(answer.text.trim())?.[1] : undefined
    return { arrayMost: most === undefined ? ARRAY_MOST : Number(most) }
  }

  return {
    name: 'htcondor',
    renderScript: renderHtcondor,
    limits,
    inside: insideHtcondor,

    submitScript,
    submit: async request => submitFiles(request, renderHtcondor(request), submitScript),

    async list({ ids, names = [] }) {
      const startedAtMs = clock()
      if (ids.length + names.length === 0) return { kind: 'listed', startedAtMs, elements: [], gone: new Set() }
      const constraint = constraintOf(ids, names)
      const answer = textOf(await ask('condor_q', '-json', '-attributes', ATTRIBUTES, '-constraint', constraint))
      if ('trouble' in answer) return { kind: 'unknown', startedAtMs, message: answer.trouble }
      const elements = parseListing(answer.text)
      if (elements === undefined)
        return { kind: 'unknown', startedAtMs, message: 'condor_q printed what is no listing' }
      return { kind: 'listed', startedAtMs, elements, gone: goneOf(ids, elements) }
    },

    async cancel(id, which) {
      if (which.kind === 'elements' && which.indices.length === 0) return { kind: 'done' }
      return readControl(await ask('condor_rm', ...removeWords(id, which)), READING, NOTHING_LEFT)
    },

    async setThrottle() {
      return { kind: 'unsupported', message: 'HTCondor has no throttle: submit fewer at a time' }
    },

    async probe(request) {
      const trouble = limitTrouble(request, await limits())
      if (trouble !== undefined) return { kind: 'refused', message: trouble }
      const result = await probeWithFiles(request, renderHtcondor, (file, cwd) =>
        run(['condor_submit', '-dry-run', '-', file], { timeoutMs: SUBMIT_TIMEOUT_MS, cwd }),
      )
      return readProbe(result, READING)
    },

    /** The job's own ad has it, so that nobody is asked. */
    async timeLeft({ walltimeSeconds, startedAtMs }) {
      if (walltimeSeconds === undefined) return { kind: 'known', seconds: undefined }
      if (startedAtMs === undefined) return { kind: 'unknown', message: "the job's ad tells no start" }
      return { kind: 'known', seconds: Math.floor(walltimeSeconds - (clock() - startedAtMs) / 1000) }
    },
  }
}

function removeWords(id: string, which: CancelWhich): string[] {
  switch (which.kind) {
    case 'all':
      return [id]
    case 'queued':
      return ['-constraint', `ClusterId==${id} && JobStatus==1`]
    case 'elements':
      return which.indices.map(index => `${id}.${index - 1}`)
  }
}
