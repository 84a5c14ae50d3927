import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'

const WORKFLOW = `
name: acting
jobs:
  - { name: first, command: 'echo job first >> trail' }
  - { name: second, command: 'echo job second >> trail', depends_on: [first] }
actions:
  - { trigger_type: on_workflow_start, action_type: run_commands, commands: ['echo workflow start >> ../trail'] }
  - { trigger_type: on_worker_start, action_type: run_commands, commands: ['echo worker start >> ../trail'], persistent: true }
  - { trigger_type: on_jobs_complete, action_type: run_commands, jobs: [first], commands: ['echo first complete >> ../trail'] }
  - { trigger_type: on_jobs_ready, action_type: run_commands, jobs: [second], commands: ['echo second ready >> ../trail', 'exit 3', 'echo never >> ../trail'] }
  - { trigger_type: on_workflow_complete, action_type: run_commands, commands: ['echo workflow complete $TORC_WORKFLOW_ID >> ../trail'] }
  - { trigger_type: on_worker_complete, action_type: run_commands, commands: ['echo worker complete >> ../trail'], persistent: true }
`

const trail = (site: Site): string[] => readFileSync(site.path('trail'), 'utf8').trim().split('\n')

const EVERYTHING = [
  'first complete',
  'job first',
  'job second',
  'second ready',
  'worker complete',
  'worker start',
  'workflow complete 1',
  'workflow start',
]

test('runner run carries out the commands of every trigger, those of the start first and those of the end last', async () => {
  const site = openSite(WORKFLOW)
  const { stderr } = await site.runTo(0, ['run', 'workflow.yaml', '-j', '1'])
  const lines = trail(site)
  expect(lines.slice(0, 2)).toEqual(['workflow start', 'worker start'])
  expect(lines.slice(-2)).toEqual(['workflow complete 1', 'worker complete'])
  expect([...lines].sort()).toEqual(EVERYTHING)
  expect(stderr).toContain('has failed with 3 at: exit 3')
  const actions = await site.rows<{ executed: number }>('SELECT executed FROM action ORDER BY id')
  expect(actions.map(({ executed }) => executed)).toEqual([1, 0, 1, 1, 1, 0])
})

test('two runners of one workflow carry out its actions once, and persistent ones each', async () => {
  const site = openSite(WORKFLOW.replace("'echo job first >> trail'", "'sleep 1; echo job first >> trail'"))
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
  const ends = await Promise.all(
    ['one', 'two'].map(name => site.run(['run', '1', '--url', url, '-j', '1', '--output-dir', name])),
  )
  expect(ends.map(({ code }) => code)).toEqual([0, 0])
  const lines = trail(site).sort()
  expect(lines.filter(line => line.startsWith('worker start'))).toHaveLength(2)
  expect([...new Set(lines)]).toEqual(EVERYTHING)
  expect(lines.filter(line => /^(workflow|first|second|job)/.test(line))).toHaveLength(6)
})
