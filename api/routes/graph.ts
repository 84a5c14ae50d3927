import { Hono } from 'hono'
import { readGraph } from '../../db/graph.ts'
import type { AppEnv, Services } from '../context.ts'
import { GROUPINGS, type Grouping, groupGraph, type JobGroup } from '../core/graph-groups.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** More than that nobody can look at. */
const MOST_GROUPS = { usual: 200, largest: 5_000 }

/** Ours: what waits for what, drawn together so that it stays readable at any size. */
export function graphRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/graph', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, { max_groups: 'integer', group_by: 'text' })
    const mostGroups = query.max_groups ?? MOST_GROUPS.usual
    if (mostGroups < 1 || mostGroups > MOST_GROUPS.largest) {
      const message = `Cannot draw the graph as max_groups must be between 1 and ${MOST_GROUPS.largest}`
      throw new AppError('invalid', message, { field: 'max_groups', value: mostGroups })
    }
    const wanted = groupingOf(query.group_by)
    await db.read(() => needWorkflow(id))
    const { jobs, edges } = await readGraph(db, id)
    const graph = groupGraph(jobs, edges, { mostGroups, wanted })
    return c.json({
      workflow_id: id,
      job_count: jobs.length,
      grouped_by: graph.groupedBy,
      groups: graph.groups.map(groupReply),
      edges: graph.edges,
    })
  })
  return routes
}

function groupingOf(word: string | undefined): Grouping | undefined {
  const found = GROUPINGS.find(grouping => grouping === word)
  if (found !== undefined || word === undefined) return found
  throw new AppError('invalid', `Cannot draw the graph as group_by must be one of ${GROUPINGS.join(', ')}`, {
    field: 'group_by',
  })
}

const groupReply = (group: JobGroup) => ({
  id: group.id,
  label: group.label,
  job_count: group.jobCount,
  jobs_by_status: group.jobsByStatus,
  first_level: group.firstLevel,
  last_level: group.lastLevel,
  job_ids: group.jobIds,
})
