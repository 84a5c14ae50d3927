import { mkdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSite, type Site } from './site.ts'

const RUN = ['run', 'workflow.yaml', '-j', '2']

const lines = (site: Site, name: string): string[] => readFileSync(site.path(name), 'utf8').trim().split('\n')

type Row = { attempt_id: number; return_code: number; failure_class: string | null }
const resultsOf = (site: Site) =>
  site.rows<Row>('SELECT attempt_id, return_code, failure_class FROM result ORDER BY job_id, attempt_id')

test('S18 a job that fails for a while is tried again until it succeeds, while others go on', async () => {
  const site = openSite(`
name: flaky
retry: { max: 3, backoff_seconds: 1 }
jobs:
  - { name: flaky, command: 'echo x >> tries; test $(wc -l < tries) -ge 3' }
  - { name: steady, command: 'true' }
`)
  await site.runTo(0, RUN)
  expect(lines(site, 'tries')).toHaveLength(3)
  expect((await resultsOf(site)).map(({ return_code }) => return_code)).toEqual([1, 1, 0, 0])
})

test('S22 a recovery script runs with the variables of the attempt before the next one, its failure is recorded', async () => {
  const site = openSite(`
name: mended
failure_handlers:
  - name: mend
    rules:
      - { exit_codes: [3], max_retries: 3, recovery_script: 'echo "$TORC_JOB_NAME $TORC_ATTEMPT_ID $TORC_RETURN_CODE $COLOUR" > mended; exit 5' }
      - { match_all_exit_codes: true, max_retries: 1 }
jobs:
  - { name: broken, command: 'test -e mended || exit 3', failure_handler: mend, env: { COLOUR: red } }
`)
  const { stderr } = await site.runTo(0, RUN)
  expect(stderr).toContain('The recovery script of job broken failed with 5')
  expect(lines(site, 'mended')).toEqual(['broken 1 3 red'])
  const retried = await site.rows('SELECT attempt_id, recovery_return_code FROM retried_attempt')
  expect(retried).toEqual([{ attempt_id: 1, recovery_return_code: 5 }])
})

test('S17 a pattern in the log makes a failure deterministic, and the job waits for its owner where that is asked', async () => {
  const site = openSite(`
name: wrong
retry: { max: 5, backoff_seconds: 1 }
deterministic: { log_patterns: ['(?i)bad +input'] }
jobs:
  - { name: ends, command: 'echo "found BAD  input" >&2; exit 1' }
  - { name: ejected, command: 'echo "bad input"; exit 1', eject: true }
`)
  await site.runTo(1, RUN)
  expect(await resultsOf(site)).toEqual([
    { attempt_id: 1, return_code: 1, failure_class: 'deterministic' },
    { attempt_id: 1, return_code: 1, failure_class: 'deterministic' },
  ])
  expect(await site.rows('SELECT status FROM job ORDER BY id')).toEqual([{ status: 6 }, { status: 10 }])
})

test('S25 a job that ran out of its time has more of it in its next attempt', async () => {
  const site = openSite(`
name: slow
jobs:
  - name: slow
    command: 'sleep 3'
    time_limit: PT1S
    retry: { max: 2, backoff_seconds: 1, runtime_factor: 30 }
`)
  await site.runTo(0, RUN)
  expect(await resultsOf(site)).toEqual([
    { attempt_id: 1, return_code: 152, failure_class: 'timeout' },
    { attempt_id: 2, return_code: 0, failure_class: null },
  ])
})

test('S15 a job that cannot be started fails with its class and is tried again as the rules say', async () => {
  const site = openSite(`
name: nowhere
jobs:
  - { name: lost, command: 'true', retry: { max: 1, backoff_seconds: 1 } }
`)
  // Where its output should go is a directory.
  for (const attempt of [1, 2])
    mkdirSync(site.path(`headrace_output/job_stdio/job_wf1_j1_r0_a${attempt}.o`), { recursive: true })
  await site.runTo(1, RUN)
  const results = await resultsOf(site)
  expect(results.map(({ failure_class }) => failure_class)).toEqual(['spawn_error', 'spawn_error'])
})
