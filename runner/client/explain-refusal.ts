import type { Refusal } from './reply.ts'

/** What to do when nobody answers. */
export const LOOK = '`runner doctor` looks for the cause'

/** Says in one line what could not be done (`show workflow 7`) at which control plane, why, and what to do about it. */
export function explainRefusal({ status, message }: Refusal, doing: string, where: string): string {
  if (status === undefined) return `Cannot reach the control plane at ${where}: ${message}; ${LOOK}`
  if (status === 401 && !/expired|revoked/.test(message))
    return `Cannot ${doing}: ${where} wants your password in TORC_PASSWORD, or its token in HEADRACE_TOKEN, which lies in headrace.json of the server's output directory`
  // The server's own sentences say what cannot be done, too.
  return status !== 401 && message.startsWith('Cannot ') ? message : `Cannot ${doing}: ${message}`
}
