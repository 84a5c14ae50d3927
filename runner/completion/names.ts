import { listPart, withControlPlane, withQuery, workflowId } from '../commands/ask.ts'
import type { ControlPlane, ControlPlaneFlags } from '../control-plane.ts'
import type { Word } from './find.ts'

/** More are no help to choose from. */
const MOST = 200

type Named = { id: number; name: string }

/** The newest workflows, by name and by id. Empty when nobody can be asked at once: completing must not be in the way. */
export function workflowNames(flags: ControlPlaneFlags): Promise<Word[]> {
  return quietly(flags, async ({ client, where }) => {
    const path = withQuery('/workflows', { sort_by: 'id', reverse_sort: true })
    return listPart<Named>(client, path, { limit: MOST }, 'list workflows', where)
  })
}

/** The jobs of a workflow, the newest unless one is named, whose names have the part that is begun. */
export function jobNames(flags: ControlPlaneFlags, workflow: string | undefined, begun: string): Promise<Word[]> {
  return quietly(flags, async controlPlane => {
    const id = await workflowId(controlPlane, workflow)
    const path = withQuery('/jobs', { workflow_id: id, name: /^\d*$/.test(begun) ? undefined : begun })
    return listPart<Named>(controlPlane.client, path, { limit: MOST }, 'list jobs', controlPlane.where)
  })
}

async function quietly(
  flags: ControlPlaneFlags,
  ask: (controlPlane: ControlPlane) => Promise<Named[]>,
): Promise<Word[]> {
  const found = await withControlPlane(flags, ask, { attempts: 1 }).catch(() => [])
  const names = new Map(found.map(({ id, name }) => [name, `id ${id}`]))
  return [
    ...[...names].map(([text, about]) => ({ text, about })),
    ...found.map(({ id, name }) => ({ text: String(id), about: name })),
  ]
}
