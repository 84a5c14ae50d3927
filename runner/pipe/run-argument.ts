import { explainRefusal } from '../client/explain-refusal.ts'
import { cannotRun } from '../command-line/error.ts'
import { idFlag } from '../command-line/flags.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { PipeRun } from './wire.ts'

/** The run that a command is about. */
export const RUN = {
  run: { type: 'positional', required: true, valueHint: 'RUN', description: 'number of the pipe run' },
} as const

/** Reads the run with this number; throws when there is none. */
export async function findRun(
  { client, where }: Pick<ControlPlane, 'client' | 'where'>,
  text: string,
): Promise<PipeRun> {
  const id = idFlag('the number of the pipe run', text)
  const reply = await client.request<PipeRun>('GET', `/pipe_runs/${id}`)
  if (reply.ok) return reply.value
  if (reply.status === 404)
    throw cannotRun(`Cannot find pipe run ${id} in ${where}: \`runner pipe list\` shows those there are`)
  throw cannotRun(explainRefusal(reply, `read pipe run ${id}`, where))
}
