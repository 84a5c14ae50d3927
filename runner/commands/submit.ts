import { resolve } from 'node:path'
import { needAddress } from '../allocate/address.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { createFromFile, type ExpandedFile } from '../create-workflow.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { counted } from '../screen/format.ts'
import { openCluster } from '../slurm/cluster.ts'
import { fireAll, isForSlurm, listDue } from '../slurm/fire-actions.ts'
import { PLAN_OPTIONS } from '../slurm/plan-flags.ts'
import { readWorkflow, type WireAction } from '../slurm/rows.ts'
import { readToSubmit } from '../slurm/spec-to-submit.ts'
import { expectValue, formatOf, listAll, summaryOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Make a workflow of a file, ready to run, and ask Slurm for the allocations that its schedule_nodes actions name; with --account also for a file without any, whose schedulers are planned as `slurm generate` does. With an id: ask for those of a workflow that is there. Exit code 3 when Slurm does not take all of them: the same command with the id asks for the rest.',
  args: {
    target: {
      type: 'positional',
      required: true,
      valueHint: 'FILE|ID',
      description: 'workflow file, or the id of a workflow that exists',
    },
    ...PLAN_OPTIONS,
    'skip-checks': { type: 'boolean', description: "let jobs pass that do not fit the file's schedulers" },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: [
    'submit flow.yaml --url http://login1:8080',
    'submit flow.yaml --account physics --url http://login1:8080',
    'submit 3 --url http://login1:8080',
  ],
  async run(args) {
    const format = formatOf(args.format)
    const isId = /^\d+$/.test(args.target)
    const expanded = isId ? undefined : await readToSubmit(args.target, args)
    return withControlPlane(args, async controlPlane => {
      const site = {
        address: needAddress(controlPlane),
        outputDir: resolve(args['output-dir'] ?? OUTPUT_DIR),
        cwd: process.cwd(),
      }
      const id =
        expanded === undefined
          ? countFlag('the workflow id', args.target, 1)!
          : await create(expanded, args.target, site.cwd, controlPlane)
      await initialise(id, controlPlane)
      await needActions(id, controlPlane)
      const note = (line: string) => process.stderr.write(`${line}\n`)
      const workflow = await readWorkflow(controlPlane, id)
      const firing = { workflow, asked: controlPlane, site, cluster: openCluster(), note }
      const { ids: submitted, troubles } = await fireAll(await listDue(controlPlane, id), firing)
      const message = `Workflow ${id} (${workflow.name}) is submitted with ${counted(submitted.length, 'allocation')}.`
      if (format === 'json') {
        printJson({
          workflow_id: id,
          status: troubles.length === 0 ? 'success' : 'failed',
          message,
          scheduler_ids: submitted,
        })
      } else print(`${message} See how it goes: runner status ${id}`)
      if (troubles.length > 0) throw cannotRun(`Cannot submit all of workflow ${id}: ${troubles.join('; ')}`)
      return 0
    })
  },
})

async function create(spec: ExpandedFile, file: string, cwd: string, { client, where }: ControlPlane): Promise<number> {
  const doing = `create a workflow of ${file}`
  const { workflow_id } = expectValue(await createFromFile(client, spec, cwd), doing, where)
  return workflow_id
}

/** What has not started yet is made ready; the actions of a start are due by that. */
async function initialise(id: number, controlPlane: ControlPlane): Promise<void> {
  const doing = `initialise workflow ${id}`
  const { jobs_by_status: counts } = await summaryOf(controlPlane, id, doing)
  if ((counts.uninitialized ?? 0) === 0) return
  const path = `/workflows/${id}/initialize_jobs?only_uninitialized=true`
  const { client, where } = controlPlane
  expectValue(await client.request('POST', path, undefined, { repeatable: true }), doing, where)
}

async function needActions(id: number, { client, where }: ControlPlane): Promise<void> {
  const actions = await listAll<WireAction>(
    client,
    `/workflows/${id}/actions`,
    `read the actions of workflow ${id}`,
    where,
  )
  if (actions.some(isForSlurm)) return
  throw cannotRun(
    `Cannot submit workflow ${id} as no action of it asks for nodes: \`runner slurm regenerate ${id} --submit\` makes what its jobs need`,
  )
}
