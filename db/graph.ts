import type { GraphEdges, GraphJob } from '../api/core/graph-groups.ts'
import { statusWord } from '../api/core/status.ts'
import { listEdges } from './initialize.ts'
import { all, type Db, type Unit } from './unit.ts'

/** Jobs read at once: other requests are served between two pages. */
const PAGE = 5_000

/** Reads the jobs of a workflow and what they wait for, through files and user data too, whether it is initialized or not. */
export async function readGraph(db: Db, workflowId: number): Promise<{ jobs: GraphJob[]; edges: GraphEdges }> {
  const jobs: GraphJob[] = []
  const positions = new Map<number, number>()
  const ranges: [first: number, last: number][] = []
  for (let after = 0; ; ) {
    const from = after
    const rows = await db.read(() => listNames(workflowId, from))
    for (const { id, name, status } of rows) positions.set(id, jobs.push({ id, name, status: statusWord(status) }) - 1)
    if (rows.length > 0) ranges.push([rows[0]!.id, rows.at(-1)!.id])
    if (rows.length < PAGE) break
    after = rows.at(-1)!.id
  }
  const edges = { from: [] as number[], to: [] as number[] }
  for (const [first, last] of ranges) {
    for (const row of await db.read(() => listEdges(workflowId, first, last))) {
      const from = positions.get(row.depends_on_job_id)
      const to = positions.get(row.job_id)
      // Ids of other workflows may lie in between.
      if (from === undefined || to === undefined) continue
      edges.from.push(from)
      edges.to.push(to)
    }
  }
  return { jobs, edges }
}

function* listNames(workflowId: number, after: number): Unit<{ id: number; name: string; status: number }[]> {
  return yield* all(
    `SELECT j.id, t.name, j.status FROM job AS j CROSS JOIN job_text AS t ON t.id = j.id
     WHERE j.workflow_id = ? AND j.id > ? ORDER BY j.id LIMIT ${PAGE}`,
    workflowId,
    after,
  )
}
