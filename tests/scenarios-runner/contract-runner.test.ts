import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runByContract } from './contract-runner.ts'
import { startServer } from './server.ts'
import { openSite } from './site.ts'

const JOBS = 24
const CODE_OF_FIRST_ATTEMPTS = 7

/** Stages through files, jobs whose first attempt fails, and actions; every start is written down. */
const WORKFLOW = `
name: mixed
resource_requirements:
  - { name: one, num_cpus: 1, memory: 1m, runtime: PT1M }
files:
  - { name: 'part_{i}', path: 'part_{i}', parameters: { i: '1:${JOBS}' } }
failure_handlers:
  - { name: again, rules: [{ exit_codes: [${CODE_OF_FIRST_ATTEMPTS}], max_retries: 2 }] }
jobs:
  - name: 'make_{i}'
    command: 'echo make_{i} >> ran; sleep 0.05; echo {i} > part_{i}'
    output_files: ['part_{i}']
    resource_requirements: one
    parameters: { i: '1:${JOBS}' }
  - name: 'use_{i}'
    command: 'echo use_{i} >> ran; cat part_{i} > used_{i}; test $TORC_ATTEMPT_ID -ge 2 || exit ${CODE_OF_FIRST_ATTEMPTS}'
    input_files: ['part_{i}']
    failure_handler: again
    resource_requirements: one
    parameters: { i: '1:${JOBS}' }
  - name: join
    command: 'echo join >> ran; cat used_* | wc -l > count'
    depends_on_regexes: ['^use_.*']
    resource_requirements: one
actions:
  - { trigger_type: on_workflow_start, action_type: run_commands, commands: ['echo started >> trail'] }
  - { trigger_type: on_jobs_complete, action_type: run_commands, jobs: [join], commands: ['echo joined >> trail'] }
`

type Row = { name: string; status: number; attempt_id: number; compute_node_id: number; return_code: number }

test.each(['0.23.0', '0.14.0'] as const)(
  'a runner that knows nothing but the contract %s works on a workflow beside ours, each job once',
  async version => {
    const site = openSite(WORKFLOW)
    const { url, server } = await startServer(site)
    await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
    const theirs = runByContract({ url, workflowId: 1, version, slots: 1, cwd: site.directory })
    await site.runTo(0, ['run', '1', '--url', url, '-j', '1', '--output-dir', 'ours'])
    const { nodeId, completed, unfit } = await theirs
    expect(unfit).toEqual([])

    server.child.kill('SIGTERM')
    await server.ended
    const rows = await site.rows<Row>(`
      SELECT t.name, job.status, job.attempt_id, result.compute_node_id, result.return_code
      FROM job JOIN job_text t ON t.id = job.id JOIN result ON result.id = job.latest_result_id`)
    expect(rows).toHaveLength(2 * JOBS + 1)
    const attemptsOf = ({ name }: Row): number => (name.startsWith('use_') ? 2 : 1)
    expect(rows.filter(row => row.status !== 5 || row.return_code !== 0 || row.attempt_id !== attemptsOf(row))).toEqual(
      [],
    )
    expect(rows.filter(row => row.compute_node_id === nodeId)).toHaveLength(completed.length)
    expect(completed.length).toBeGreaterThan(0)
    expect(completed.length).toBeLessThan(rows.length)
    const ran = readFileSync(site.path('ran'), 'utf8').trim().split('\n')
    expect(ran.sort()).toEqual(rows.flatMap(row => Array<string>(attemptsOf(row)).fill(row.name)).sort())
    // Each runner carries actions out in a directory of its own.
    const trails = [site.path('trail'), site.path('ours/trail')].filter(path => existsSync(path))
    const carriedOut = trails.flatMap(path => readFileSync(path, 'utf8').trim().split('\n'))
    expect(carriedOut.sort()).toEqual(['joined', 'started'])
    expect(readFileSync(site.path('count'), 'utf8').trim()).toBe(String(JOBS))
  },
)
