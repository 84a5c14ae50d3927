import { idFlag } from '../command-line/flags.ts'
import { workflowId } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { Noun } from './noun.ts'

const WORKFLOW = {
  workflow: { type: 'string', valueHint: 'WORKFLOW', description: 'workflow it belongs to (default: the newest)' },
} as const

/** The option that names the workflow, for objects that cannot be found without it. */
export const workflowOption = (noun: Noun): Partial<typeof WORKFLOW> => (noun.takesWorkflow ? WORKFLOW : {})

/** The argument that names one object. */
export const idArgument = (noun: Noun) =>
  ({
    type: 'positional',
    required: true,
    valueHint: noun.find === undefined ? 'ID' : noun.one.toUpperCase(),
    description: `${noun.find === undefined ? 'id' : 'id or name'} of the ${noun.one}`,
  }) as const

/** One object that a command line names. */
export type Item = { id: number; path: string }

/** Finds the object that a text names. Throws when it cannot be one. */
export async function findItem(
  noun: Noun,
  controlPlane: ControlPlane,
  text: string,
  workflow: string | undefined,
): Promise<Item> {
  const id = noun.find ? await noun.find(controlPlane, text, workflow) : checkId(noun, text)
  return { id, path: noun.itemPath(id, noun.readFromList ? await workflowId(controlPlane, workflow) : 0) }
}

/** Throws a usage error when a text cannot name one, before anything is asked. */
export function checkId(noun: Noun, text: string): number {
  return noun.find ? 0 : idFlag(`the id of the ${noun.one}`, text)
}
