import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAllocationName } from '../../runner/schedulers/name.ts'
import type { AllocationRequest, Listing, Scheduler, SchedulerName } from '../../runner/schedulers/types.ts'
import { elementsOf } from '../../runner/schedulers/verdict.ts'

/** A scheduler that the scenarios of adapter-scenarios.ts run over: a real one, or an imitation. */
export type Cluster = {
  scheduler: Scheduler
  /** Makes the scheduler unreachable until the returned function is called. */
  takeAway(): () => void
  close(): void
}

/** What a scheduler can do, known before it is started. */
export type Traits = {
  name: SchedulerName
  /** Changes that make a request one which is refused at once; absent where nothing is. */
  refused?: Partial<AllocationRequest>
  /** Whether a throttle can be kept to and changed. */
  throttles: boolean
  /** What an allocation of two nodes needs beside the number; absent where there is none. */
  twoNodes?: Partial<AllocationRequest>
}

/** A directory of files that jobs write, with a gate that holds them. */
export function createSite() {
  const directory = mkdtempSync(join(tmpdir(), 'hr-allocation-'))
  mkdirSync(join(directory, 'out'))
  const script = join(directory, 'job.sh')
  // Tells its worker number and environment, then waits for the gate.
  writeFileSync(
    script,
    [
      `env -0 >${directory}/out/env.$HEADRACE_WORKER`,
      `echo ran >${directory}/out/started.$HEADRACE_WORKER`,
      `echo output of $HEADRACE_WORKER`,
      `until [ -e ${directory}/gate ] || [ -e ${directory}/gate.$HEADRACE_WORKER ]; do sleep 0.05; done`,
      `echo ran >${directory}/out/ended.$HEADRACE_WORKER`,
      '',
    ].join('\n'),
  )
  const numbers = (prefix: string): number[] =>
    readdirSync(join(directory, 'out'))
      .filter(name => name.startsWith(`${prefix}.`))
      .map(name => Number(name.slice(prefix.length + 1)))
      .sort((a, b) => a - b)
  return {
    directory,
    request(changes: Partial<AllocationRequest> = {}): AllocationRequest {
      return {
        name: createAllocationName(),
        directory,
        command: `/bin/bash ${script}`,
        nodes: 1,
        cores: 1,
        memoryBytes: 200 * 2 ** 20,
        gpus: 0,
        walltimeSeconds: 600,
        perNode: false,
        ...changes,
      }
    },
    /** Lets jobs end: all, or one. */
    open: (worker?: number) => writeFileSync(join(directory, worker === undefined ? 'gate' : `gate.${worker}`), ''),
    started: () => numbers('started'),
    ended: () => numbers('ended'),
    remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }),
  }
}

export type Site = ReturnType<typeof createSite>

/** Submits what has to be taken; returns its id. */
export async function submitted(scheduler: Scheduler, request: AllocationRequest): Promise<string> {
  const outcome = await scheduler.submit(request)
  if (outcome.kind !== 'submitted') throw new Error(`Cannot submit: ${outcome.kind}, ${outcome.message}`)
  return outcome.id
}

/** Lists until the fact holds; each listing has to be a good one. `watch` sees them all. */
export async function listUntil(
  scheduler: Scheduler,
  id: string,
  fact: (rows: ReturnType<typeof elementsOf>, listing: Listing) => boolean,
  watch: (rows: ReturnType<typeof elementsOf>) => void = () => {},
): Promise<Listing> {
  const startedAt = performance.now()
  for (;;) {
    const listing = await scheduler.list({ ids: [id] })
    if (listing.kind === 'unknown') throw new Error(`Cannot list: ${listing.message}`)
    const rows = elementsOf(listing, id)
    watch(rows)
    if (fact(rows, listing)) return listing
    if (performance.now() - startedAt > PATIENCE_MS)
      throw new Error(`Waited in vain for a listing; the last was ${JSON.stringify(rows)}`)
    await sleep(150)
  }
}

/** A real scheduler may let a requeued or new element wait for some seconds. */
const PATIENCE_MS = 60_000
