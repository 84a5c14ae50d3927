import { expectValue } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { Recovery } from './decide.ts'
import { listRequirements } from './failed-jobs.ts'

/** Parts the name of a set made here from the name of the set it came from. */
const MARK = ' recovered with '

/** Gives the jobs of a raise a set of requirements of their own, as others have theirs too. The same amounts are the same set. */
export async function moveToOwnSet(controlPlane: ControlPlane, workflowId: number, raise: Recovery): Promise<void> {
  const { client, where } = controlPlane
  const doing = `recover workflow ${workflowId}`
  const set = await findOrMakeSet(controlPlane, workflowId, raise, doing)
  for (const id of raise.job_ids) {
    const job = expectValue(await client.request<object>('GET', `/jobs/${id}`), doing, where)
    const body = { ...job, resource_requirements_id: set }
    expectValue(await client.request('PUT', `/jobs/${id}`, body), doing, where)
  }
}

async function findOrMakeSet(
  controlPlane: ControlPlane,
  workflowId: number,
  { resource_requirements_id, memory, runtime }: Recovery,
  doing: string,
): Promise<number> {
  const { client, where } = controlPlane
  const sets = await listRequirements(controlPlane, workflowId)
  const { id: _, ...from } = sets.find(set => set.id === resource_requirements_id)!
  const amounts = { memory: memory?.to ?? from.memory, runtime: runtime?.to ?? from.runtime }
  const name = `${from.name.split(MARK)[0]}${MARK}${amounts.memory} ${amounts.runtime}`
  const known = sets.find(set => set.name === name && set.memory === amounts.memory && set.runtime === amounts.runtime)
  if (known !== undefined) return known.id
  const body = { ...from, ...amounts, name, workflow_id: workflowId }
  const made = await client.request<{ id: number }>('POST', '/resource_requirements', body)
  return expectValue(made, doing, where).id
}
