import { readFileSync } from 'node:fs'
import type { ListedElement, Listing, Scheduler, SubmitOutcome } from '../../runner/schedulers/types.ts'
import type { Cluster } from '../../runner/slurm/submit.ts'

export type FakeCluster = Cluster & {
  /** The scripts that were submitted. */
  scripts: string[]
  /** What was cancelled: id and which. */
  canceled: [id: string, which: string][]
  /** What is listed. */
  queue: ListedElement[]
  pauses: number
}

/** A Slurm that answers submissions one after the other; after the last it takes all, and numbers them from 100. */
export function createFakeCluster(answers: readonly SubmitOutcome[] = []): FakeCluster {
  let next = 100
  const left = [...answers]
  const scheduler: Pick<Scheduler, 'submitScript' | 'list' | 'cancel'> = {
    async submitScript(path) {
      cluster.scripts.push(readFileSync(path, 'utf8'))
      return left.shift() ?? { kind: 'submitted', id: String(next++), acknowledgedAtMs: 0 }
    },
    async list({ ids }): Promise<Listing> {
      const listed = new Set(cluster.queue.map(element => element.allocation))
      return {
        kind: 'listed',
        startedAtMs: 1,
        elements: cluster.queue,
        gone: new Set(ids.filter(id => !listed.has(id))),
      }
    },
    async cancel(id, { kind }) {
      cluster.canceled.push([id, kind])
      return { kind: 'done' }
    },
  }
  const cluster: FakeCluster = {
    scheduler: scheduler as Scheduler,
    runtime: { run: () => Promise.reject(new Error('not asked for')), clock: () => 0, user: 'me', env: {} },
    patience: {
      looks: 3,
      async pause() {
        cluster.pauses++
      },
    },
    scripts: [],
    canceled: [],
    queue: [],
    pauses: 0,
  }
  return cluster
}

export const queued = (allocation: string, name: string): ListedElement => ({
  allocation,
  state: 'queued',
  word: 'PENDING',
  stuck: false,
  name,
})
