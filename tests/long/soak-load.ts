import { randomUUID } from 'node:crypto'
import { persistentClient, type ServerOfSoak } from './soak-client.ts'
import { runVirtualRunner } from './soak-runner.ts'

export type Load = Omit<ServerOfSoak, 'url'> & {
  /** One for each control plane: runners keep to one, side by side with those of the others. */
  urls: readonly string[]
  runners: number
  slots: number
  /** No workflow begins after that. */
  untilMs: number
}

export type Made = { workflows: number[]; jobs: number }

const LANES = 4
const LAYERS = 5
/** A lane is through with a workflow within a few lengths of the longest job. */
const JOBS_PER_SLOT_AND_LAYER = 1

/** Has the runners do one workflow after another, a quarter of them each, until the time is over and all that was begun is complete. */
export async function runLoad(load: Load): Promise<Made> {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(load, lane)))
  return {
    workflows: lanes.flatMap(({ workflows }) => workflows),
    jobs: lanes.reduce((sum, { jobs }) => sum + jobs, 0),
  }
}

async function runLane(load: Load, lane: number): Promise<Made> {
  const { urls, runners, slots, untilMs } = load
  const urlOf = (index: number): string => urls[index % urls.length]!
  const ask = persistentClient({ ...load, url: urlOf(lane) })
  const width = Math.ceil((JOBS_PER_SLOT_AND_LAYER * runners * slots) / LANES)
  const made: Made = { workflows: [], jobs: 0 }
  do {
    // Whatever is lost on the way, it is made once.
    const headers = { 'idempotency-key': randomUUID() }
    const path = '/workflows/from_spec?start=true'
    const { workflow_id: workflowId } = await ask<{ workflow_id: number }>('POST', path, spec(width), { headers })
    made.workflows.push(workflowId)
    made.jobs += LAYERS * width
    await Promise.all(
      Array.from({ length: runners / LANES }, (_, index) =>
        runVirtualRunner({ ...load, url: urlOf(index), workflowId, slots, fallsSilent: index % 20 === 0 }),
      ),
    )
  } while (Date.now() < untilMs)
  return made
}

/** A job of each layer waits for the one of the same number in the layer before it. */
const spec = (width: number) => ({
  name: 'soak',
  jobs: Array.from({ length: LAYERS }, (_, layer) => ({
    name: `layer_${layer}_{i}`,
    command: 'true',
    parameters: { i: `1:${width}` },
    ...(layer > 0 && { depends_on: [`layer_${layer - 1}_{i}`] }),
  })),
})
