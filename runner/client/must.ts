import { CommandError } from '../command-line/error.ts'
import { LOOK } from './explain-refusal.ts'
import type { Refusal, Reply } from './reply.ts'

/** The control plane said no, or nothing. */
export class ControlPlaneError extends CommandError {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    const why = refusal.status === undefined ? `does not answer (${LOOK})` : 'refused'
    super(`Cannot go on as the control plane ${why}: ${refusal.message}`, 3)
    this.refusal = refusal
  }
}

/** The value of a reply; throws ControlPlaneError with the refusal's words. For one-shot steps, where nothing can be done about it. */
export async function must<T>(reply: Promise<Reply<T>>): Promise<T> {
  const answer = await reply
  if (!answer.ok) throw new ControlPlaneError(answer)
  return answer.value
}
