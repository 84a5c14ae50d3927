import { spawn } from 'node:child_process'
import type { Client } from '../client.ts'
import type { RunFacts } from '../job-environment.ts'
import { recoveryEnvironment } from '../job-environment.ts'
import type { CompletionEntry, RetriedAttempt } from '../wire.ts'

/** The recovery scripts of failed attempts: each runs once, beside the loop, before its job is tried again. */
export type Recoveries = {
  /** Runs the scripts of these retries; `resultOf` is what the attempt ended with. A job without one is left to the control plane. */
  start(retries: readonly RetriedAttempt[], resultOf: (jobId: number) => AttemptResult | undefined): void
  /** Ends the scripts that still run; resolves when that was told. */
  close(): Promise<void>
}

/** A script that runs for longer is ended, so that its job goes on: the control plane waits as long (failure-decision.ts). */
const LONGEST_MS = 600_000
/** What is told of a script that a signal has ended, and of one that could not be started. */
const KILLED = 137
const NEVER_RAN = 127
/** Of what a script says, the end is kept. */
const KEPT_CHARACTERS = 2_000

type AttemptResult = Pick<CompletionEntry['result'], 'workflow_id' | 'return_code'>

type WireJob = { name: string; env?: Record<string, string> }

export function createRecoveries(
  client: Client,
  { factsOf, cwd, note }: { factsOf: (workflowId: number) => RunFacts; cwd: string; note: (line: string) => void },
): Recoveries {
  const running = new Set<Promise<void>>()
  /** A reply that is repeated names a script again. */
  const begun = new Set<string>()
  const ending = new AbortController()

  async function recover(
    { job_id, attempt_id }: RetriedAttempt,
    script: string,
    { workflow_id, return_code: returnCode }: AttemptResult,
  ): Promise<void> {
    const facts = factsOf(workflow_id)
    const job = await client.request<WireJob>('GET', `/jobs/${job_id}`)
    const { name, env } = job.ok ? job.value : { name: String(job_id), env: undefined }
    const environment = recoveryEnvironment({ id: job_id, name, env, attemptId: attempt_id, returnCode }, facts)
    const end = await runScript(script, { cwd, env: environment, signal: ending.signal }).catch(neverRan)
    if (end.code !== 0)
      note(`The recovery script of job ${name} failed with ${end.code}: it is tried again all the same`)
    const body = { run_id: facts.runId, attempt_id, return_code: end.code, message: end.said || undefined }
    const told = await client.request('POST', `/jobs/${job_id}/recovery`, body, { repeatable: true })
    if (!told.ok) note(`The end of the recovery script of job ${name} could not be told: ${told.message}`)
  }

  return {
    start(retries, resultOf) {
      for (const retry of retries) {
        const key = `${retry.job_id} ${retry.attempt_id}`
        const result = resultOf(retry.job_id)
        if (retry.recovery_script === undefined || result === undefined || begun.has(key)) continue
        begun.add(key)
        const ended: Promise<void> = recover(retry, retry.recovery_script, result).finally(() => running.delete(ended))
        running.add(ended)
      }
    },
    async close() {
      ending.abort()
      await Promise.all(running)
    },
  }
}

type ScriptEnd = { code: number; said: string }

/** Runs a script in a process group of its own; rejects when it is longer than the system takes. */
function runScript(
  script: string,
  { cwd, env, signal }: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<ScriptEnd> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve({ code: KILLED, said: 'the runner has ended before it began' })
    const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let said = ''
    const hear = (chunk: Buffer): void => {
      said = (said + chunk).slice(-KEPT_CHARACTERS)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const end = (): void => endGroup(child.pid)
    const timer = setTimeout(end, LONGEST_MS)
    signal.addEventListener('abort', end, { once: true })
    const settle = (code: number, message: string): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve({ code, said: message.trim() })
    }
    child.on('error', error => settle(NEVER_RAN, error.message))
    // Not its streams' end: what it left behind may keep them open.
    child.on('exit', code => settle(code ?? KILLED, said))
  })
}

const neverRan = ({ message }: Error): ScriptEnd => ({ code: NEVER_RAN, said: message })

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself in this moment.
  }
}
