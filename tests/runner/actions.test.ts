import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openActions } from '../../runner/actions.ts'
import { createFakeClient, refusal } from './fake-client.ts'

let outputDir: string
beforeEach(() => {
  outputDir = mkdtempSync(join(tmpdir(), 'headrace-actions-'))
})
afterEach(() => rmSync(outputDir, { recursive: true, force: true }))

const action = (id: number, commands: string[], persistent = false) => ({
  id,
  action_type: 'run_commands',
  action_config: { commands },
  persistent,
})

type Action = ReturnType<typeof action>

async function openOver(actions: Action[], claim: (path: string) => unknown = () => ({ claimed: true })) {
  const notes: string[] = []
  const { client, sent } = createFakeClient((method, path) => (method === 'POST' ? claim(path) : actions))
  const opened = await openActions({
    client,
    workflowId: 1,
    nodeId: 2,
    facts: { workflowId: 1, apiUrl: 'http://api', outputDir, runId: 3 },
    note: line => notes.push(line),
  })
  return { actions: opened, sent, notes }
}

const said = (name: string): string => readFileSync(join(outputDir, name), 'utf8').trim()

test('openActions() asks nothing more of a workflow without commands', async () => {
  const { actions, sent } = await openOver([])
  await actions.run('on_workflow_start')
  actions.look()
  expect(sent).toHaveLength(1)
})

test('run() runs the commands in the output directory, in order, with the variables of the run and no credentials', async () => {
  process.env.HEADRACE_TOKEN = 'secret'
  try {
    const commands = [
      'echo "$TORC_WORKFLOW_ID $TORC_RUN_ID $TORC_API_URL [$HEADRACE_TOKEN]" > one',
      'cp one two; echo printed',
    ]
    const { actions, notes } = await openOver([action(5, commands)])
    await actions.run('on_workflow_start')
    expect(said('two')).toBe('1 3 http://api []')
    expect(said(readdirSync(outputDir).find(name => name.startsWith('action_'))!)).toBe('printed')
    expect(notes).toEqual([])
  } finally {
    delete process.env.HEADRACE_TOKEN
  }
})

test('run() stops at the first command that fails, and says so', async () => {
  const { actions, notes } = await openOver([action(5, ['exit 4', 'touch later'])])
  await actions.run('on_jobs_ready')
  expect(existsSync(join(outputDir, 'later'))).toBe(false)
  expect(notes).toEqual([expect.stringContaining('Action 5 has failed with 4 at: exit 4')])
})

test('run() leaves an action to whoever took it, without a word', async () => {
  const { actions, notes } = await openOver([action(5, ['touch ran'])], () => refusal(409, 'taken'))
  await actions.run('on_jobs_ready')
  expect(existsSync(join(outputDir, 'ran'))).toBe(false)
  expect(notes).toEqual([])
})

test('run() takes a persistent action once, however often it is due', async () => {
  const { actions } = await openOver([action(5, ['echo x >> ran'], true)])
  actions.look()
  await actions.run('on_jobs_ready')
  await actions.run('on_jobs_ready')
  expect(said('ran')).toBe('x')
})

test('run() goes on with the next action when one cannot be run at all, and says why', async () => {
  const { actions, notes } = await openOver([action(5, [`: ${'x'.repeat(200_000)}`]), action(6, ['touch ran'])])
  await actions.run('on_jobs_ready')
  expect(existsSync(join(outputDir, 'ran'))).toBe(true)
  expect(notes).toEqual([expect.stringMatching(/Action 5 could not be run: .*E2BIG/)])
})
