import type { ExpandedJob, ExpandedResourceRequirements, ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { statusWord } from '../../api/core/status.ts'
import { all } from '../../db/unit.ts'
import type { TestApp } from './app.ts'
import { seedNode } from './seed.ts'

/** Small expanded workflows, as `POST /workflows/from_expansion` takes them. */

export const jobOf = (name: string, fields: Partial<ExpandedJob> = {}): ExpandedJob => ({
  name,
  command: 'true',
  invocationScript: undefined,
  env: undefined,
  priority: 0,
  cancelOnBlockingJobFailure: true,
  resourceRequirements: undefined,
  scheduler: undefined,
  failureHandler: undefined,
  dependsOn: [],
  inputFiles: [],
  outputFiles: [],
  inputUserData: [],
  outputUserData: [],
  labels: [],
  tags: undefined,
  family: 'default',
  cwd: undefined,
  timeLimitSeconds: undefined,
  retry: undefined,
  transient: undefined,
  deterministic: undefined,
  eject: undefined,
  ...fields,
})

export const workflowOf = (jobs: readonly ExpandedJob[], fields: Partial<ExpandedWorkflow> = {}): ExpandedWorkflow => ({
  name: 'w',
  description: undefined,
  project: undefined,
  metadata: undefined,
  env: undefined,
  jobsSortMethod: 'gpus_runtime_memory',
  usePendingFailed: false,
  enableRoCrate: false,
  computeNodeWaitForNewJobsSeconds: 90,
  computeNodeIgnoreWorkflowCompletion: false,
  computeNodeWaitForHealthyDatabaseMinutes: 20,
  executionConfig: undefined,
  resourceMonitorConfig: undefined,
  slurmDefaults: undefined,
  accessGroups: [],
  dynamicJobs: undefined,
  retry: undefined,
  transient: undefined,
  deterministic: undefined,
  eject: undefined,
  lossBudget: 5,
  site: undefined,
  jobs: [...jobs],
  files: [],
  userData: [],
  resourceRequirements: [],
  failureHandlers: [],
  slurmSchedulers: [],
  actions: [],
  ...fields,
})

export const requirementsOf = (
  name: string,
  fields: Partial<ExpandedResourceRequirements> = {},
): ExpandedResourceRequirements => ({
  name,
  numCpus: 1,
  numGpus: 0,
  numNodes: 1,
  memory: '1m',
  memoryBytes: 2 ** 20,
  runtime: 'PT1M',
  runtimeSeconds: 60,
  ...fields,
})

type Fields = Partial<ExpandedJob>

/** That many jobs that wait for nothing. */
export const independent = (n: number, fields: Fields = {}): ExpandedJob[] =>
  Array.from({ length: n }, (_, k) => jobOf(`job_${k}`, fields))

/** Each job waits for the one before. */
export const chain = (n: number, fields: Fields = {}): ExpandedJob[] =>
  Array.from({ length: n }, (_, k) => jobOf(`link_${k}`, { dependsOn: k === 0 ? [] : [k - 1], ...fields }))

/** Jobs from lists of the jobs they wait for. */
export const graphOf = (dependsOn: readonly (readonly number[])[], fields: Fields = {}): ExpandedJob[] =>
  dependsOn.map((list, k) => jobOf(`job_${k}`, { dependsOn: [...list], ...fields }))

/** One job, then two beside each other, then one that waits for both. */
export const diamond = (fields: Fields = {}): ExpandedJob[] => graphOf([[], [0], [0], [1, 2]], fields)

/** One job, then `width` beside each other, then one that waits for all of these. */
export const fan = (width: number, fields: Fields = {}): ExpandedJob[] => {
  const middle = Array.from({ length: width }, (_, k) => k + 1)
  return graphOf([[], ...middle.map(() => [0]), middle], fields)
}

export type Started = {
  workflowId: number
  nodeId: number
  /** Ids of the jobs, in the order of the expansion. */
  jobs: number[]
}

/** Creates and initialises a workflow in one request, as the command line does, and registers a node of it. */
export async function startWorkflow(t: TestApp, workflow: ExpandedWorkflow): Promise<Started> {
  const reply = await t.post('/workflows/from_expansion?start=true', { workflow })
  if (reply.status !== 200) throw new Error(`Cannot start: ${reply.status} ${JSON.stringify(reply.body)}`)
  const workflowId: number = reply.body.workflow_id
  const jobs = await idsOfJobs(t, workflowId)
  return { workflowId, nodeId: await seedNode(t, workflowId), jobs }
}

async function idsOfJobs(t: TestApp, workflowId: number): Promise<number[]> {
  const rows = await t.db.read(() =>
    all<{ id: number }>('SELECT id FROM job WHERE workflow_id = ? ORDER BY id', workflowId),
  )
  return rows.map(row => row.id)
}

/** The statuses of all jobs of a workflow, in the order of the expansion, as words. */
export async function statusesOf(t: TestApp, workflowId: number): Promise<string[]> {
  const rows = await t.db.read(() =>
    all<{ status: number }>('SELECT status FROM job WHERE workflow_id = ? ORDER BY id', workflowId),
  )
  return rows.map(row => statusWord(row.status))
}
