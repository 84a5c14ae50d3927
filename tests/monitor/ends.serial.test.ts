import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSite } from '../scenarios-runner/site.ts'

/** The last line that is whole: who writes it is killed at any moment. */
const lastMoment = (path: string): number => Number(readFileSync(path, 'utf8').split('\n').at(-2))

test('S75 at the end of an allocation jobs get their signal at lead and headroom before it, and KILL at the headroom', async () => {
  const site = openSite(`
name: ending
execution_config:
  { termination_signal: SIGUSR1, sigterm_lead_seconds: 1, sigkill_headroom_seconds: 1, timeout_exit_code: 99 }
jobs:
  - name: heeds
    command: "trap 'date +%s.%N >warned; exit 0' USR1; date +%s.%N >began; until false; do sleep 0.05; done"
  - name: ignores
    command: "trap '' USR1 TERM; until false; do sleep 0.05; date +%s.%N >>alive; done"
`)
  await site.runTo(1, ['run', 'workflow.yaml', '--time-limit', '6s', '--num-cpus', '2', '--overcommit'])
  const at = (name: string): number => lastMoment(site.path(name))
  // Well before the 6 s are over, and the one that ignores it lives on for the lead.
  expect(at('warned') - at('began')).toBeLessThan(5)
  expect(at('alive') - at('warned')).toBeGreaterThan(0.4)
  expect(await site.rows(`SELECT return_code, failure_class FROM result ORDER BY job_id`)).toEqual([
    { return_code: 0, failure_class: null },
    { return_code: 99, failure_class: 'allocation_end' },
  ])
})

test('a job that ignores the signal at its own time limit is killed after the lead', async () => {
  const site = openSite(`
name: stubborn
execution_config: { sigterm_lead_seconds: 1 }
jobs:
  - { name: stubborn, command: "trap 'date +%s.%N >asked' TERM; until false; do sleep 0.05; date +%s.%N >>alive; done", time_limit: PT1S }
`)
  await site.runTo(1, ['run', 'workflow.yaml'])
  const at = (name: string): number => lastMoment(site.path(name))
  expect(at('alive') - at('asked')).toBeGreaterThan(0.4)
  const rows = await site.rows('SELECT return_code, failure_class FROM result')
  expect(rows).toEqual([{ return_code: 152, failure_class: 'timeout' }])
})
