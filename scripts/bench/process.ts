import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { WrongResult } from './types.ts'

export type Ended = { wallSeconds: number; code: number | null; stdout: string; stderr: string }

export type Running = { pid: number; child: ChildProcess; ended: Promise<Ended> }

export type StartOptions = {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** A file to read as standard input; nothing otherwise. */
  inputPath?: string
}

/** Variables of the caller that would send Headrace elsewhere or change how it starts jobs. */
const UNSET = {
  HEADRACE_API_URL: undefined,
  TORC_API_URL: undefined,
  HEADRACE_TOKEN: undefined,
  TORC_PASSWORD: undefined,
  HEADRACE_LAUNCHER: undefined,
  // A site's own certificates, which Node reads at each start, all of them at once (27 ms here): no part of what is compared.
  NODE_EXTRA_CA_CERTS: undefined,
  // What make tells the makes below it: npm run bench may stand in a Makefile.
  MAKEFLAGS: undefined,
  MAKELEVEL: undefined,
}

/** Longer than the longest run on a slow machine: a program that takes more hangs. */
const PATIENCE_MS = 10 * 60_000

const running = new Set<ChildProcess>()
// TERM, so that a runner ends its jobs too.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** Starts a program; one that hangs, or still runs when the benchmark ends, is ended. */
export function start(command: string, words: readonly string[], { cwd, env, inputPath }: StartOptions): Running {
  const input = inputPath === undefined ? 'ignore' : openSync(inputPath, 'r')
  const beganAt = performance.now()
  const child = spawn(command, words, {
    cwd,
    env: { ...process.env, ...UNSET, ...env },
    stdio: [input, 'pipe', 'pipe'],
  })
  if (typeof input === 'number') closeSync(input)
  running.add(child)
  const ended = new Promise<Ended>((resolve, reject) => {
    let wallSeconds = 0
    let stdout = ''
    let stderr = ''
    const deadline = setTimeout(() => child.kill('SIGTERM'), PATIENCE_MS)
    child.stdout!.on('data', chunk => (stdout += chunk))
    child.stderr!.on('data', chunk => (stderr += chunk))
    child.on('error', reject)
    child.on('exit', () => {
      wallSeconds = (performance.now() - beganAt) / 1000
      running.delete(child)
      clearTimeout(deadline)
    })
    child.on('close', code => resolve({ wallSeconds, code, stdout, stderr }))
  })
  return { pid: child.pid ?? 0, child, ended }
}

/** Runs a program to its end; gives its output and the seconds from its start to its exit. Throws when it does not end with 0. */
export async function run(command: string, words: readonly string[], options: StartOptions): Promise<Ended> {
  return succeeded(command, await start(command, words, options).ended)
}

/** Throws when a program did not end with 0, with the last it said. */
export function succeeded(name: string, ended: Ended): Ended {
  if (ended.code === 0) return ended
  throw new WrongResult(`${name} ended with ${ended.code}: ${(ended.stderr || ended.stdout).trim().slice(-500)}`)
}
