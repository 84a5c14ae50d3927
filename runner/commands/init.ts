import type { Client } from '../client.ts'
import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { modifiedSeconds } from '../recovery/disk.ts'
import { changedFiles, type KnownFile } from '../recovery/input-changes.ts'
import type { WorkflowSummary } from '../wire.ts'
import { expectValue, formatOf, listAll, summaryOf, withControlPlane, withQuery, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Make a workflow ready to run: jobs that wait for nothing become ready. One that has started already is left alone unless --force starts it over.',
  args: {
    ...WORKFLOW,
    force: { type: 'boolean', description: 'start over: all jobs run again, with a new run id' },
    async: { type: 'boolean', description: 'as a task of the server, which `tasks wait` waits for' },
    'skip-checks': { type: 'boolean', description: 'do not look whether input files and user data are there' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['workflows init 3', 'workflows init 3 --force'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const summary = await summaryOf(controlPlane, id, `initialise workflow ${id}`)
      if (hasStarted(summary)) {
        if (!args.force) {
          throw cannotRun(
            `Cannot initialise workflow ${id} as it has started: reinit makes changed jobs ready, --force starts all over`,
          )
        }
        await startOver(controlPlane, id)
      }
      if (!args['skip-checks']) await checkInputs(controlPlane, id)
      await noteFileTimes(controlPlane, id)
      const task = await initialize(controlPlane, id, args.async === true)
      if (task !== undefined) {
        if (format === 'json') printJson(task)
        else print(`Workflow ${id} is being initialised by task ${task.id}: runner tasks wait ${task.id}`)
        return 0
      }
      const after = await summaryOf(controlPlane, id, `initialise workflow ${id}`)
      if (format === 'json') printJson(after)
      else
        print(
          `Workflow ${id} is initialised: ${after.jobs_by_status.ready ?? 0} of ${after.total_jobs} jobs are ready.`,
        )
      return 0
    })
  },
})

const hasStarted = ({ jobs_by_status: counts, total_jobs }: WorkflowSummary): boolean =>
  (counts.uninitialized ?? 0) + (counts.disabled ?? 0) < total_jobs

async function startOver({ client, where }: ControlPlane, id: number): Promise<void> {
  const doing = `start workflow ${id} over`
  expectValue(await client.request('POST', `/workflows/${id}/reset_status?force=true`), doing, where)
  expectValue(await client.request('POST', `/workflows/${id}/reset_job_status`), doing, where)
}

type Task = { id: number }

/** Initialises at once, or gives the task that does. */
async function initialize({ client, where }: ControlPlane, id: number, asTask: boolean): Promise<Task | undefined> {
  const path = withQuery(`/workflows/${id}/initialize_jobs`, { async: asTask })
  const reply = await client.request<Task>('POST', path, undefined, { repeatable: true })
  const answer = expectValue(reply, `initialise workflow ${id}`, where)
  return asTask ? answer : undefined
}

/** Files that no job makes must lie on this disk, and user data that no job makes must have a value. */
async function checkInputs({ client, where }: ControlPlane, id: number): Promise<void> {
  const doing = `check the inputs of workflow ${id}`
  const base = await directoryOf(client, id, doing, where)
  const required = await client.request<{ files: number[] }>('GET', `/workflows/${id}/required_existing_files`)
  const needed = new Set(expectValue(required, doing, where).files)
  const files = needed.size === 0 ? [] : await listAll<KnownFile>(client, `/files?workflow_id=${id}`, doing, where)
  const missing = files.find(file => needed.has(file.id) && modifiedSeconds(file.path, base) === undefined)
  if (missing !== undefined) {
    throw cannotRun(
      `Cannot initialise workflow ${id} as the input file ${missing.name} is not there: ${missing.path} (--skip-checks does not look)`,
    )
  }
  const data = await client.request<{ user_data: number[] }>('GET', `/workflows/${id}/missing_user_data`)
  const [empty] = expectValue(data, doing, where).user_data
  if (empty !== undefined) throw cannotRun(`Cannot initialise workflow ${id} as user data ${empty} has no value`)
}

/** Tells the server what the files on this disk are like now, so that reinit can see what changes later. */
async function noteFileTimes({ client, where }: ControlPlane, id: number): Promise<void> {
  const doing = `note the files of workflow ${id}`
  const base = await directoryOf(client, id, doing, where)
  const files = await listAll<KnownFile>(client, `/files?workflow_id=${id}`, doing, where)
  for (const { file, seconds } of changedFiles(files, path => modifiedSeconds(path, base))) {
    expectValue(await client.request('PUT', `/files/${file.id}`, { ...file, st_mtime: seconds }), doing, where)
  }
}

/** Where relative paths of a workflow start. */
export async function directoryOf(client: Client, id: number, doing: string, where: string): Promise<string> {
  const reply = await client.request<{ submission_directory?: string }>('GET', `/workflows/${id}`)
  return expectValue(reply, doing, where).submission_directory ?? process.cwd()
}
