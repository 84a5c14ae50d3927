import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSite } from '../scenarios-runner/site.ts'

const JOBS = 20_000
const SAMPLE_MS = 100

/** Resident memory of a process in KiB; undefined when it has ended. */
function residentKib(pid: number): number | undefined {
  try {
    return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

test(`runner run keeps its memory flat over ${JOBS} jobs`, async () => {
  const site = openSite(`
name: soak
execution_config: { stdio: { mode: none } }
jobs: [{ name: 'job_{i}', command: 'true', parameters: { i: '1:${JOBS}' } }]
`)
  const runner = site.start(['run', 'workflow.yaml', '-j', '2'])
  const samples: number[] = []
  const sampling = setInterval(() => {
    const kib = residentKib(runner.pid)
    // Reading and creating the workflow come first: only the loop has to be flat.
    if (kib !== undefined && !Number.isNaN(kib) && existsSync(site.journal)) samples.push(kib)
  }, SAMPLE_MS)
  const { code, stdout } = await runner.ended
  clearInterval(sampling)
  expect(code, stdout).toBe(0)
  expect(stdout).toContain('all 20,000 jobs completed')
  const [results] = await site.rows<{ n: number }>('SELECT count(*) AS n FROM result WHERE return_code = 0')
  expect(results!.n).toBe(JOBS)
  expect(samples.length).toBeGreaterThan(20)
  const middle = Math.floor(samples.length / 2)
  const [first, second] = [samples.slice(0, middle), samples.slice(middle)].map(half => Math.max(...half))
  expect(second! / first!, `KiB in the first half ${first}, in the second ${second}`).toBeLessThanOrEqual(1.15)
})
