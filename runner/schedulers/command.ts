import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { cleanEnvironment } from './clean-environment.ts'

/** How a client program ended. Only `exited` says what the scheduler thinks. */
export type CommandResult =
  | { kind: 'exited'; code: number; stdout: string; stderr: string }
  /** It never ran. */
  | { kind: 'missing'; message: string }
  /** Ended by us after `timeoutMs`, or because it printed too much, or by a signal: what it did before is not known. */
  | { kind: 'broken'; message: string; stdout: string; stderr: string }

type CommandOptions = { timeoutMs: number; cwd?: string }

export type CommandRunner = (argv: readonly [string, ...string[]], options: CommandOptions) => Promise<CommandResult>

/** Listing and control; the clients' own limits are useless: a frozen Grid Engine hangs its commands for ever (hpc.md 1.2). */
export const LIST_TIMEOUT_MS = 30_000
export const SUBMIT_TIMEOUT_MS = 60_000

/** A listing of 100,000 elements takes about 10 MB; more is no listing. */
const OUTPUT_MOST = 64 * 2 ** 20

/** How long pipes may stay open after the program itself has ended: a child it left behind may hold them. */
const AFTER_EXIT_MS = 2_000

/**
 * Makes what runs client programs: no shell, nothing to read, a clean environment in the C locale, a process group that is killed as a
 * whole when time is up. Never throws and never waits longer than the time-out and a moment.
 */
export function createCommandRunner(source: NodeJS.ProcessEnv): CommandRunner {
  const env = cleanEnvironment(source)
  return ([program, ...args], options) =>
    new Promise(resolve => {
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env, cwd: options.cwd })
      const words = [program, ...args].join(' ')
      let broken: string | undefined
      let exit: { code: number | null; signal: NodeJS.Signals | null } | undefined
      const end = (reason: string): void => {
        broken ??= reason
        killGroup(child.pid)
        settleSoon()
      }
      const stdout = collect(child.stdout, () => end(`\`${words}\` printed more than ${OUTPUT_MOST} bytes`))
      const stderr = collect(child.stderr, () => end(`\`${words}\` printed more than ${OUTPUT_MOST} bytes`))
      const timer = setTimeout(
        () => end(`\`${words}\` gave no answer within ${options.timeoutMs / 1000} s`),
        options.timeoutMs,
      )
      let settling: NodeJS.Timeout | undefined

      function settle(result: CommandResult): void {
        clearTimeout(timer)
        clearTimeout(settling)
        child.stdout.destroy()
        child.stderr.destroy()
        resolve(result)
      }
      function settleExit(): void {
        const texts = { stdout: stdout(), stderr: stderr() }
        const code = broken === undefined ? exit?.code : undefined
        if (typeof code === 'number') settle({ kind: 'exited', code, ...texts })
        else settle({ kind: 'broken', message: broken ?? `\`${words}\` was ended by ${exit?.signal}`, ...texts })
      }
      function settleSoon(): void {
        settling ??= setTimeout(settleExit, AFTER_EXIT_MS)
      }

      child.on('error', error => {
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
        const why = missing ? 'it is not on PATH' : error.message
        settle({ kind: 'missing', message: `Cannot run ${program} as ${why}` })
      })
      child.on('exit', (code, signal) => {
        exit = { code, signal }
        settleSoon()
      })
      child.on('close', settleExit)
    })
}

/** Gathers what a stream prints; tells once when it is too much, and keeps no more of it. */
function collect(stream: Readable, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (bytes > OUTPUT_MOST) return
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes > OUTPUT_MOST) onTooMuch()
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
