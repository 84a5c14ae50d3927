import type {
  AllocationRequest,
  CancelWhich,
  ListedElement,
  Listing,
  Scheduler,
  SubmitOutcome,
} from '../../runner/schedulers/types.ts'

/** A batch scheduler that lives in this test: what it does is what the test says. */
export type ScriptedScheduler = Scheduler & {
  /** What was submitted, in its order, whether or not the answer reached anybody. */
  submitted: AllocationRequest[]
  /** Ids whose elements are listed; those of others are gone. */
  alive: Set<string>
  canceled: { id: string; which: CancelWhich['kind'] }[]
  throttles: { id: string; most: number }[]
  /** What the next submissions come to; else they are accepted. */
  answers: ('refused' | 'lost_answer' | 'crash')[]
  /** The next listings fail, or throw. */
  broken: ('unknown' | 'throws')[]
}

export function scriptedScheduler(name: Scheduler['name'] = 'slurm'): ScriptedScheduler {
  const submitted: AllocationRequest[] = []
  const alive = new Set<string>()
  const canceled: ScriptedScheduler['canceled'] = []
  const throttles: ScriptedScheduler['throttles'] = []
  const answers: ScriptedScheduler['answers'] = []
  const broken: ScriptedScheduler['broken'] = []
  const idOf = (request: AllocationRequest): string => String(100 + submitted.indexOf(request))
  const elementOf = (request: AllocationRequest): ListedElement => ({
    allocation: idOf(request),
    state: 'running',
    word: 'RUNNING',
    stuck: false,
    name: request.name,
  })

  return {
    name,
    submitted,
    alive,
    canceled,
    throttles,
    answers,
    broken,
    renderScript: request => [{ name: `${request.name}.sh`, text: '' }],
    async submit(request): Promise<SubmitOutcome> {
      const answer = answers.shift()
      if (answer === 'refused') return { kind: 'refused', message: 'invalid partition specified: nosuch' }
      submitted.push(request)
      alive.add(idOf(request))
      if (answer === 'crash') throw new Killed()
      if (answer === 'lost_answer') return { kind: 'unknown', message: 'Socket timed out on send/recv operation' }
      return { kind: 'submitted', id: idOf(request), acknowledgedAtMs: Date.now() }
    },
    async list({ ids, names = [] }): Promise<Listing> {
      const startedAtMs = Date.now()
      const trouble = broken.shift()
      if (trouble === 'throws') throw new Error('no space left on device')
      if (trouble === 'unknown') return { kind: 'unknown', startedAtMs, message: 'Connection refused' }
      const shown = submitted.filter(
        one => alive.has(idOf(one)) && (ids.includes(idOf(one)) || names.includes(one.name)),
      )
      return {
        kind: 'listed',
        startedAtMs,
        elements: shown.map(elementOf),
        gone: new Set(ids.filter(id => !alive.has(id))),
      }
    },
    async cancel(id, which) {
      canceled.push({ id, which: which.kind })
      if (which.kind === 'all') alive.delete(id)
      return { kind: 'done' }
    },
    submitScript: () => Promise.reject(new Error('no script is submitted here')),
    async setThrottle(id, most) {
      throttles.push({ id, most })
      return { kind: 'done' }
    },
    probe: async () => ({ kind: 'accepted', message: 'fine' }),
    limits: async () => ({ arrayMost: 1000 }),
    inside: () => undefined,
    timeLeft: async () => ({ kind: 'unknown', message: 'not asked' }),
  }
}

/** The process that submits is ended before it can record the answer. */
export class Killed extends Error {}
