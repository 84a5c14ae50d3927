/**
 * The program of a job thread: looks at the outputs of an attempt, hashes them, searches its logs and makes its completion. It has no
 * state of the runner and changes none.
 */
import { parentPort } from 'node:worker_threads'
import { createFailureJudge } from '../failure/judge-failure.ts'
import { finalise } from '../finalise.ts'
import { type FinaliseTask, failedTry, type Outcome } from './finalisers.ts'
import { READY } from './pool.ts'

const judge = createFailureJudge()

async function answer({ attempt, end, reason }: FinaliseTask): Promise<Outcome> {
  try {
    await judge.prepare([attempt.policy])
    return { entry: judge.judge(finalise(attempt, end, reason), attempt) }
  } catch (error) {
    return failedTry(error)
  }
}

const port = parentPort!
port.postMessage(READY)
port.on('message', async (task: FinaliseTask) => port.postMessage(await answer(task)))
