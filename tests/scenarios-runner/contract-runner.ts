import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { misfits, type Schema } from '../helpers/json-schema.ts'

// biome-ignore lint/suspicious/noExplicitAny: what comes is held against the contract's schemas
type Model = Record<string, any>
type Operation = { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }
type Contract = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } }

export type ContractRunnerOptions = {
  url: string
  workflowId: number
  /** Which form of the contract it knows. */
  version: '0.23.0' | '0.14.0'
  /** How many jobs it runs at once. */
  slots: number
  cwd: string
}

export type ContractRun = {
  nodeId: number
  /** Ids of the jobs whose completion was taken, in order. */
  completed: number[]
  /** What no client of the contract could have read. */
  unfit: string[]
}

const ROUND_MS = 20
const HEADERS = { '0.23.0': { 'x-torc-client-user': 'u' }, '0.14.0': { 'user-agent': 'OpenAPI-Generator/v0.7.0/rust' } }

/**
 * A runner that knows nothing but the contract: the calls of contract/notes.md 16.4, in their order and one for each thing. It claims
 * without a lease, shows no token of a claim, and takes each error of a completion for final. Every reply is held against its schema.
 */
export async function runByContract(options: ContractRunnerOptions): Promise<ContractRun> {
  const { url, workflowId, version, slots, cwd } = options
  const contract: Contract = JSON.parse(
    readFileSync(new URL(`../fixtures/contract/api-${version}.json`, import.meta.url), 'utf8'),
  )
  const unfit: string[] = []
  const completed: number[] = []

  /** `path` as the contract writes it; what stands in braces comes from `fields`. */
  async function call(method: string, path: string, fields: Model = {}, body?: unknown, query = ''): Promise<Model> {
    const operation = contract.paths[path]?.[method]
    if (operation === undefined) throw new Error(`Cannot find ${method} ${path} in version ${version}`)
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => String(fields[name]))
    const reply = await fetch(`${url}/torc-service/v1${filled}${query}`, {
      method: method.toUpperCase(),
      headers: { ...HEADERS[version], ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await reply.json()) as Model
    const schema = operation.responses[String(reply.status)]?.content?.['application/json']?.schema
    const where = `${method} ${path} (${reply.status})`
    if (!reply.ok && reply.status !== 409) unfit.push(`${where}: ${JSON.stringify(answer)}`)
    else if (reply.ok && schema)
      unfit.push(...misfits(answer, schema, contract.components.schemas).map(fault => `${where}: ${fault}`))
    return reply.status === 409 ? { taken: true } : answer
  }
  const ofWorkflow = (method: string, rest: string, fields: Model = {}, body?: unknown, query = ''): Promise<Model> =>
    call(method, `/workflows/{id}${rest}`, { id: workflowId, ...fields }, body, query)

  await call('get', '/workflows/{id}', { id: workflowId })
  if ((await ofWorkflow('get', '/is_uninitialized')).is_uninitialized) await ofWorkflow('post', '/initialize_jobs')
  const { run_id: runId } = await ofWorkflow('get', '/status')
  const node = await call('post', '/compute_nodes', {}, describeNode(workflowId, slots))
  await call('get', '/version')

  async function act(...triggers: string[]): Promise<void> {
    const query = `?${triggers.map(type => `trigger_type=${type}`).join('&')}`
    for (const action of (await ofWorkflow('get', '/actions/pending', {}, undefined, query)) as Model[]) {
      const claim = await ofWorkflow(
        'post',
        '/actions/{action_id}/claim',
        { action_id: action.id },
        { compute_node_id: node.id },
      )
      if (claim.taken || action.action_type !== 'run_commands') continue
      const config = typeof action.action_config === 'string' ? JSON.parse(action.action_config) : action.action_config
      for (const command of config.commands) await runCommand(command, cwd, {})
    }
  }
  await act('on_workflow_start')
  await act('on_worker_start')

  const running = new Map<number, { job: Model; ended: Promise<Ended> }>()
  const over: { job: Model; ended: Ended }[] = []

  async function start(job: Model): Promise<void> {
    await call('get', '/resource_requirements/{id}', { id: job.resource_requirements_id })
    await call('put', '/jobs/{id}/start_job/{run_id}/{compute_node_id}', {
      id: job.id,
      run_id: runId,
      compute_node_id: node.id,
    })
    const ended = runCommand(job.command, cwd, {
      TORC_WORKFLOW_ID: String(workflowId),
      TORC_JOB_ID: String(job.id),
      TORC_JOB_NAME: job.name,
      TORC_ATTEMPT_ID: String(job.attempt_id),
      TORC_API_URL: `${url}/torc-service/v1`,
    })
    running.set(job.id, { job, ended })
    void ended.then(end => {
      running.delete(job.id)
      over.push({ job, ended: end })
    })
  }

  /** Sends the modification times of a job's output files, as the contract has a request for each. */
  async function tellFiles(job: Model): Promise<void> {
    for (const id of job.output_file_ids ?? []) {
      const { path } = await call('get', '/files/{id}', { id })
      if (!existsSync(join(cwd, path))) continue
      const stored = await call('get', '/files/{id}', { id })
      await call('put', '/files/{id}', { id }, { ...stored, st_mtime: statSync(join(cwd, path)).mtimeMs / 1000 })
    }
  }

  /** Whether the job is to run again. */
  async function retries(job: Model, code: number): Promise<boolean> {
    if (code === 0 || job.failure_handler_id == null) return false
    const { rules } = await call('get', '/failure_handlers/{id}', { id: job.failure_handler_id })
    const list: Model[] = typeof rules === 'string' ? JSON.parse(rules) : rules
    const rule = list.find(({ exit_codes, match_all_exit_codes }) => match_all_exit_codes || exit_codes.includes(code))
    if (rule === undefined || job.attempt_id > rule.max_retries) return false
    await call(
      'post',
      '/jobs/{id}/retry/{run_id}',
      { id: job.id, run_id: runId },
      undefined,
      `?max_retries=${rule.max_retries}`,
    )
    return true
  }

  async function complete(): Promise<void> {
    const completions: Model[] = []
    for (const { job, ended } of over.splice(0)) {
      await tellFiles(job)
      if (await retries(job, ended.code)) continue
      completions.push(completionOf(job, ended, { workflowId, runId, nodeId: node.id }))
    }
    if (completions.length === 0) return
    const { completed: taken, errors } = await ofWorkflow('post', '/batch_complete_jobs', {}, { completions })
    completed.push(...taken)
    unfit.push(...errors.map((error: Model) => `completion refused: ${JSON.stringify(error)}`))
  }

  async function claim(): Promise<void> {
    const free = slots - running.size
    if (free <= 0) return
    const offer = { num_cpus: free, memory_gb: 1, num_gpus: 0, num_nodes: 1 }
    const { jobs } = await ofWorkflow('post', '/claim_jobs_based_on_resources/{limit}', { limit: free }, offer)
    if (jobs.length > free) unfit.push(`${jobs.length} jobs for ${free} slots`)
    for (const job of jobs) await start(job)
  }

  for (;;) {
    const { is_complete: isComplete, is_canceled: isCanceled } = await ofWorkflow('get', '/is_complete')
    if (running.size + over.length === 0 && (isComplete || isCanceled)) break
    await complete()
    await act('on_jobs_ready', 'on_jobs_complete')
    await claim()
    if (running.size === 0) await ofWorkflow('get', '/actions')
    await sleep(ROUND_MS)
  }
  await act('on_workflow_complete')
  await act('on_worker_complete')
  const stored = await call('get', '/compute_nodes/{id}', { id: node.id })
  await call('put', '/compute_nodes/{id}', { id: node.id }, { ...stored, is_active: false, duration_seconds: 1 })
  return { nodeId: node.id, completed, unfit }
}

const describeNode = (workflowId: number, cpus: number): Model => ({
  workflow_id: workflowId,
  hostname: 'contract',
  pid: 1,
  start_time: new Date().toISOString(),
  num_cpus: cpus,
  memory_gb: 1,
  num_gpus: 0,
  num_nodes: 1,
  compute_node_type: 'local',
  is_active: true,
})

type Ended = { code: number; minutes: number }

function runCommand(command: string, cwd: string, env: Record<string, string>): Promise<Ended> {
  const began = performance.now()
  return new Promise(resolve => {
    const child = execFile('bash', ['-c', command], { cwd, env: { ...process.env, ...env } })
    child.on('close', code => resolve({ code: code ?? -1, minutes: (performance.now() - began) / 60_000 }))
  })
}

function completionOf(
  job: Model,
  { code, minutes }: Ended,
  ids: { workflowId: number; runId: number; nodeId: number },
): Model {
  const status = code === 0 ? 'completed' : 'failed'
  return {
    job_id: job.id,
    status,
    run_id: ids.runId,
    result: {
      job_id: job.id,
      workflow_id: ids.workflowId,
      run_id: ids.runId,
      attempt_id: job.attempt_id,
      compute_node_id: ids.nodeId,
      return_code: code,
      exec_time_minutes: minutes,
      completion_time: new Date().toISOString(),
      status,
    },
  }
}
