import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { type PlannedJob, stagesOf } from '../plan/stages.ts'
import { listRequirements, type RequirementsRow } from '../recovery/failed-jobs.ts'
import { counted } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

type Action = { id: number; trigger_type: string; action_type: string; action_config: unknown; job_ids?: number[] }

/** What happens in one stage to jobs with the same requirements. */
type Row = { stage: number; jobs: number; requires: string; names: string }

const COLUMNS: readonly Column<Row>[] = [
  { title: 'STAGE', value: row => row.stage, align: 'right' },
  { title: 'JOBS', value: row => row.jobs, align: 'right' },
  { title: 'EACH REQUIRES', value: row => row.requires },
  { title: 'NAMES', value: row => row.names },
]

export default defineVerb({
  about:
    'Show what of a workflow can run side by side: its jobs in stages, each waiting for the one before, and its actions.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['workflows plan 3', 'workflows plan 3 --format json'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const doing = `plan workflow ${id}`
      const path = `/jobs?workflow_id=${id}&include_relationships=true`
      const jobs = await listAll<PlannedJob>(client, path, doing, where)
      const requirements = new Map((await listRequirements(controlPlane, id)).map(row => [row.id, row]))
      const actions = await listAll<Action>(client, `/workflows/${id}/actions`, doing, where)
      const stages = stagesOf(jobs)
      if (stages === undefined) throw cannotRun(`Cannot plan workflow ${id} as some of its jobs wait for each other`)
      if (format === 'json') printJson({ workflow_id: id, job_count: jobs.length, stages, actions })
      else {
        const rows = stages.flatMap(({ stage, parts }) =>
          parts.map(part => ({
            stage,
            jobs: part.jobs,
            requires: shortly(requirements.get(part.requirements_id)),
            names: part.names.join(', ') + (part.jobs > part.names.length ? ', …' : ''),
          })),
        )
        const widest = Math.max(0, ...stages.map(stage => stage.jobs))
        print(
          [
            renderTable(COLUMNS, rows, screenWidth()).trimEnd(),
            ...actions.map(
              action => `${action.trigger_type}: ${action.action_type} ${JSON.stringify(action.action_config)}`,
            ),
            `${counted(jobs.length, 'job')} in ${counted(stages.length, 'stage')}, at most ${widest} side by side.`,
          ].join('\n'),
        )
      }
      return 0
    })
  },
})

function shortly(row: RequirementsRow | undefined): string {
  if (row === undefined) return ''
  const gpus = row.num_gpus > 0 ? `, ${counted(row.num_gpus, 'GPU')}` : ''
  const nodes = row.num_nodes > 1 ? `, ${row.num_nodes} nodes` : ''
  return `${counted(row.num_cpus, 'CPU')}, ${row.memory}${gpus}${nodes}, ${row.runtime}`
}
