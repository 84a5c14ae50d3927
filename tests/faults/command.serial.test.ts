import { expect, test } from 'vitest'
import { openSite, type Site } from '../scenarios-runner/site.ts'

const JOBS = 30
const WORKFLOW = `
name: faulty
retry: { max: 9, backoff_seconds: 0 }
jobs: [{ name: 'job_{i}', command: 'sleep 0.2; echo {i}', parameters: { i: '1:${JOBS}' } }]
`
type Row = { job_id: number; return_code: number; failure_class: string | null }

const resultsOf = (site: Site): Promise<Row[]> =>
  site.rows<Row>('SELECT job_id, return_code, failure_class FROM result ORDER BY job_id, attempt_id')

test('runner run completes every job in spite of a bad network', async () => {
  const site = openSite(WORKFLOW)
  const faults = 'drop-request=0.2,drop-reply=0.2,repeat-request=0.2,fail-finalise=0.1'
  const { stderr } = await site.runTo(0, ['run', 'workflow.yaml', '-j', '30', '--fault', faults, '--seed', '3'])
  expect(stderr).toContain('--seed 3 gives the same chances again')
  expect(await resultsOf(site)).toHaveLength(JOBS)
})

test('runner run --fault kill-job, fail-job and fail-launch fail some jobs, the same ones for the same seed', async () => {
  const failures = await Promise.all(
    ['5', '5', '6'].map(async seed => {
      // Long enough that none of those that are killed has ended before.
      const site = openSite(WORKFLOW.replace('max: 9', 'max: 0').replace('sleep 0.2', 'sleep 2'))
      const faults = 'kill-job=0.2,fail-job=0.2,fail-launch=0.2'
      await site.runTo(1, ['run', 'workflow.yaml', '-j', '30', '--fault', faults, '--seed', seed])
      return (await resultsOf(site)).filter(row => row.return_code !== 0)
    }),
  )
  expect(failures[0]).toEqual(failures[1])
  expect(failures[0]).not.toEqual(failures[2])
  expect(new Set(failures[0]!.map(row => `${row.failure_class} ${row.return_code}`))).toEqual(
    new Set(['signal 137', 'exit_code 1', 'spawn_error 127']),
  )
})

test('runner run --fault fail-finalise=1 ends every job as postprocess_error', async () => {
  const site = openSite(WORKFLOW.replace('max: 9', 'max: 0'))
  await site.runTo(1, ['run', 'workflow.yaml', '-j', '30', '--fault', 'fail-finalise=1'])
  const rows = await resultsOf(site)
  expect(rows.map(row => row.failure_class)).toEqual(Array(JOBS).fill('postprocess_error'))
})

test('runner run --fault kill-runner is killed, and the same command goes on to the end', async () => {
  const site = openSite(WORKFLOW)
  const killed = await site.run(['run', 'workflow.yaml', '-j', '2', '--fault', 'kill-runner=0.3', '--seed', '1'])
  expect(killed.signal).toBe('SIGKILL')
  await site.runTo(0, ['run', 'workflow.yaml', '-j', '30'])
  const rows = await site.rows<{ n: number }>('SELECT count(*) AS n FROM job WHERE status = 5')
  expect(rows).toEqual([{ n: JOBS }])
})

test('runner run with a fault there is not ends with 2 and names the nearest', async () => {
  const site = openSite(WORKFLOW)
  const { stderr } = await site.runTo(2, ['run', 'workflow.yaml', '--fault', 'drop-replies=0.1'])
  expect(stderr.trim()).toBe('Cannot read --fault as there is no fault drop-replies: did you mean drop-reply?')
})
