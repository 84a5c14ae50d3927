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
/** What one request asks for, with the 128 random bits, as text, that the tokens of its claim are made of. */
export type ExchangeRequest = Exchange & { secret: string }
export type Exchanged = { batch: CompletedBatch; due?: SettledDue; claimed?: ClaimOutcome }

/** `random` in 0..1 spreads the pauses before retries. */
type Moment = { now: number; random: number }

/**
 * Ends of attempts, starts of held jobs, what the time has brought and a claim, in this order, inside the caller's transaction: at most
 * three round trips unless something is due or has failed. Must be the last of its transaction. `undefined` when the workflow does not
 * exist; throws BeingInitialized.
 */
export function* exchangeJobs(
  workflowId: number,
  { completions, started, claim, secret }: ExchangeRequest,
  moment: Moment,
): Unit<Exchanged | undefined> {
  const { now } = moment
  const options = { ...moment, secret }
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

/**
 * What several requests ask for at the same time, in one go: all that they tell, then their claims in their order. Only for a database
 * whose transaction goes on after a claim (a file). `undefined` when the workflow does not exist; throws BeingInitialized.
 */
export function* exchangeTogether(
  workflowId: number,
  requests: readonly ExchangeRequest[],
  moment: Moment,
): Unit<Exchanged[] | undefined> {
  const completions = requests.flatMap(request => request.completions)
  const started = requests.flatMap(request => request.started)
  const exchanged: Exchanged[] = []
  // What one request says of a job may change how the next one is judged, down to attempts that the first has lost.
  if (new Set(completions.map(({ jobId }) => jobId)).size < completions.length) {
    for (const request of requests) {
      const one = yield* exchangeJobs(workflowId, request, moment)
      if (one === undefined) return undefined
      exchanged.push(one)
    }
    return exchanged
  }
  const facts = yield* readBatch(workflowId, completions)
  const [batch] = yield* alongside(
    applyBatch(workflowId, completions, facts, moment),
    startHeld(workflowId, started, moment.now),
  )
  if (batch === undefined) return undefined
  let at = 0
  for (const { completions: own, claim, secret } of requests) {
    const verdicts = batch.verdicts.slice(at, at + own.length)
    at += own.length
    const jobs = new Set(own.map(({ jobId }) => jobId))
    const part = { ...batch, verdicts, retries: batch.retries.filter(({ jobId }) => jobs.has(jobId)) }
    if (claim === undefined) {
      exchanged.push({ batch: part })
    } else {
      const { due, outcome } = yield* settleAndClaim(workflowId, claim, { now: moment.now, secret })
      exchanged.push({ batch: part, due, claimed: outcome })
    }
  }
  return exchanged
}
