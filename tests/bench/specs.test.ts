import { expect, test } from 'vitest'
import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'
import {
  chainSpec,
  longChainSpec,
  noopSpec,
  triadJobs,
  triadSpec,
  wakeSpec,
} from '../../scripts/bench/workloads/specs.ts'
import { loadText } from '../spec/fixture-env.ts'

async function expand(text: string): Promise<ExpandedWorkflow> {
  const { workflow, diagnostics } = await loadText(text)
  expect(diagnostics).toEqual([])
  return workflow!
}

test('noopSpec() has independent jobs', async () => {
  const { jobs } = await expand(noopSpec(12))
  expect(jobs).toHaveLength(12)
  expect(jobs.flatMap(job => job.dependsOn)).toEqual([])
})

test('chainSpec() lets each job wait for the one before', async () => {
  const { jobs } = await expand(chainSpec(4))
  expect(jobs.map(job => job.dependsOn)).toEqual([[], [0], [1], [2]])
})

test('wakeSpec() makes several jobs ready at once, each round after the last', async () => {
  const { jobs } = await expand(wakeSpec(2, 1))
  expect(jobs.map(job => job.dependsOn)).toEqual([[], [0], [0], [0], [0], [1, 2, 3, 4], [5], [5], [5], [5]])
})

test('triadSpec() has as many edges as jobs', async () => {
  const { jobs } = await expand(triadSpec(7))
  expect(jobs).toHaveLength(triadJobs(7))
  expect(jobs.flatMap(job => job.dependsOn)).toHaveLength(triadJobs(7))
})

test('longChainSpec() links every job to the next by a file, shallower jobs first', async () => {
  const { jobs } = await expand(longChainSpec(3, 4))
  expect(jobs).toHaveLength(12)
  expect(new Set(jobs.flatMap(job => job.outputFiles)).size).toBe(12)
  for (const job of jobs) {
    const next = jobs.find(other => other.inputFiles.includes(job.outputFiles[0]!))
    if (next !== undefined) expect(next.priority).toBe(job.priority - 1)
    else expect(job.priority).toBe(1)
  }
})
