import { findScheduler } from '../../runner/schedulers/find.ts'
import type { AllocationRequest, CancelWhich, ListedElement, Scheduler } from '../../runner/schedulers/types.ts'

type Element = { index: number | undefined; state: 'queued' | 'running' | 'gone'; stuck?: string }
type Allocation = { id: string; name: string; elements: Element[] }

/** A queue in memory, whose answers a test chooses. */
export type ImaginedScheduler = Scheduler & {
  allocations: Allocation[]
  requests: AllocationRequest[]
  cancels: [id: string, which: CancelWhich][]
  listings: number
  /** What the next calls answer; `lost` takes a submission and answers nothing. */
  mood: 'well' | 'away' | 'refuses' | 'lost'
  /** Queues that refuse whatever the mood. */
  refusing: Set<string>
  start(id: string, count?: number): void
  end(id: string): void
}

/** An implementation of a real scheduler's name, whose scripts are its own and whose queue is imagined. */
export function imagineScheduler(clock: () => number): ImaginedScheduler {
  const { renderScript, limits } = findScheduler('slurm')
  const find = (id: string): Allocation => self.allocations.find(allocation => allocation.id === id)!
  const self: ImaginedScheduler = {
    name: 'slurm',
    allocations: [],
    requests: [],
    cancels: [],
    listings: 0,
    mood: 'well',
    refusing: new Set(),
    renderScript,
    limits,
    async submit(request) {
      if (self.mood === 'away') return { kind: 'unknown', message: 'connect failure' }
      if (self.mood === 'refuses' || self.refusing.has(request.queue ?? ''))
        return { kind: 'refused', message: 'Invalid account' }
      const id = String(100 + self.requests.length)
      self.requests.push(request)
      const { array } = request
      const indices = array === undefined ? [undefined] : range(array.first, array.last)
      const elements = indices.map(index => ({ index, state: 'queued' as const }))
      self.allocations.push({ id, name: request.name, elements })
      if (self.mood === 'lost') return { kind: 'unknown', message: 'Socket timed out' }
      return { kind: 'submitted', id, acknowledgedAtMs: clock() }
    },
    async submitScript() {
      throw new Error('Nobody submits a script here')
    },
    async list({ ids }) {
      self.listings++
      const startedAtMs = clock() + 1
      if (self.mood === 'away') return { kind: 'unknown', startedAtMs, message: 'connect failure' }
      const elements = self.allocations.flatMap(({ id, name, elements: own }) =>
        own
          .filter(({ state }) => state !== 'gone')
          .map(
            ({ index, state, stuck }): ListedElement => ({
              allocation: id,
              index,
              state,
              word: state.toUpperCase(),
              reason: stuck,
              stuck: stuck !== undefined,
              name,
            }),
          ),
      )
      return { kind: 'listed', startedAtMs, elements, gone: new Set(ids.filter(id => isOver(find(id)))) }
    },
    async cancel(id, which) {
      self.cancels.push([id, which])
      for (const element of find(id).elements) {
        const isMeant = which.kind === 'all' || which.kind === 'queued' || which.indices.includes(element.index ?? 1)
        if (isMeant && element.state === 'queued') element.state = 'gone'
      }
      return { kind: 'done' }
    },
    setThrottle: async () => ({ kind: 'done' }),
    probe: async () => ({ kind: 'accepted', message: 'fine' }),
    inside: () => undefined,
    timeLeft: async () => ({ kind: 'known', seconds: undefined }),
    start(id, count = Number.POSITIVE_INFINITY) {
      let left = count
      for (const element of find(id).elements) if (element.state === 'queued' && left-- > 0) element.state = 'running'
    },
    end(id) {
      for (const element of find(id).elements) element.state = 'gone'
    },
  }
  return self
}

const isOver = ({ elements }: Allocation): boolean => elements.every(({ state }) => state === 'gone')

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
