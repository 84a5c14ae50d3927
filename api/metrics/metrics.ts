import { type DatabaseFacts, findDatabaseFacts } from '../../db/metrics.ts'
import { exposition, type Family } from './exposition.ts'
import type { MeasuredDb } from './measure-db.ts'
import { createRequestMetrics, type RequestMetrics } from './request-metrics.ts'
import { createWorkCounts, type WorkCounts } from './work-counts.ts'

export type Metrics = {
  requests: RequestMetrics
  work: WorkCounts
  /** Everything as text; asks the database for what stands there. */
  render(now: number): Promise<string>
}

/** Brings together what this process counts and what the database knows: instances add up, but for the gauges, which all show the same. */
export function createMetrics(db: MeasuredDb, version: string): Metrics {
  const requests = createRequestMetrics()
  const work = createWorkCounts()
  return {
    requests,
    work,
    async render(now) {
      const facts = await db.read(() => findDatabaseFacts(now))
      return exposition([
        { ...gauge('headrace_info', 'The program that serves.'), samples: [{ labels: { version }, value: 1 }] },
        ...requests.families(),
        ...work.families(),
        ...storedFamilies(facts),
        ...databaseFamilies(db),
      ])
    },
  }
}

const gauge = (name: string, help: string): Omit<Family, 'samples'> => ({ name, type: 'gauge', help })

const storedFamilies = ({ jobs, leases, lapsedNodes }: DatabaseFacts): Family[] => [
  {
    ...gauge('headrace_jobs', 'Jobs of all workflows, by status.'),
    samples: Object.entries(jobs).map(([status, value]) => ({ labels: { status }, value })),
  },
  { ...gauge('headrace_leases', 'Jobs that runners hold under a lease.'), samples: [{ value: leases }] },
  {
    ...gauge('headrace_lapsed_nodes', 'Nodes with a lease that has lapsed and is not taken back yet.'),
    samples: [{ value: lapsedNodes }],
  },
]

const databaseFamilies = (db: MeasuredDb): Family[] => [
  {
    name: 'headrace_database_duration_seconds',
    type: 'histogram',
    help: 'Time of the database per question of ours, waiting included.',
    samples: [...db.reads.samples({ kind: 'read' }), ...db.writes.samples({ kind: 'write' })],
  },
  { ...gauge('headrace_waiting_writes', 'Writes that wait for the database.'), samples: [{ value: db.waitingWrites }] },
  {
    name: 'headrace_write_transactions_total',
    type: 'counter',
    help: 'Write transactions begun.',
    samples: [{ value: db.writeTransactions }],
  },
]
