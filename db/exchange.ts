import type { ClaimRequest } from '../api/core/claim.ts'
import type { Completion, Started } from '../api/core/completion.ts'
import { alongside } from './alongside.ts'
import { lookForClaim } from './claim-look.ts'
import { type ClaimOutcome, chooseForClaim, settleAndClaim, takeChosen } from './claims.ts'
import { applyBatch, type CompletedBatch, readBatch, startHeld } from './completions.ts'
import { NOTHING_DUE, type SettledDue } from './due.ts'
import { isDue } from './node-leases.ts'
import type { Unit } from './unit.ts'

export type Exchange = { completions: readonly Completion[]; started: readonly Started[]; claim?: ClaimRequest }
export type Exchanged = { batch: CompletedBatch; due?: SettledDue; claimed?: ClaimOutcome }

/**
 * Ends of attempts, starts of held jobs, what the time has brought and a claim, in this order, inside the caller's transaction: at most
 * three round trips unless something is due or has failed. Must be the last of its transaction. `undefined` when the workflow does not
 * exist; throws BeingInitialized.
 */
export function* exchangeJobs(
  workflowId: number,
  { completions, started, claim }: Exchange,
  options: { now: number; random: number; secret: string },
): Unit<Exchanged | undefined> {
  const { now } = options
  if (claim === undefined) {
    const facts = yield* readBatch(workflowId, completions)
    const [batch] = yield* alongside(
      applyBatch(workflowId, completions, facts, options),
      startHeld(workflowId, started, now),
    )
    return batch && { batch }
  }
  const [facts, due, look] = yield* alongside(
    readBatch(workflowId, completions),
    isDue(now),
    lookForClaim(workflowId, claim),
  )
  const applying = applyBatch(workflowId, completions, facts, options)
  const starting = startHeld(workflowId, started, now)
  // A failure's cascade goes on level by level, and only then is it known what is ready.
  if (due || completions.some(({ status }) => status !== 'completed')) {
    const [batch] = yield* alongside(applying, starting)
    if (batch === undefined) return undefined
    const { due: settled, outcome } = yield* settleAndClaim(workflowId, claim, options)
    return { batch, due: settled, claimed: outcome }
  }
  const [batch, , choice] = yield* alongside(applying, starting, chooseForClaim(workflowId, look, claim, now))
  if (batch === undefined) return undefined
  return { batch, due: NOTHING_DUE, claimed: yield* takeChosen(workflowId, look, choice, claim, options) }
}
