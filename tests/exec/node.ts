import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { LaunchRecord } from '../../runner/exec/record.ts'
import type { NodeStatus } from '../../runner/exec/status.ts'
import type { LauncherKind } from '../../runner/launcher/types.ts'
import { launcherKinds } from '../helpers/launcher-kinds.ts'
import { waitUntil } from '../launcher/harness.ts'
import { afterTest, build, type Ended, openSite, type Running, type Site } from '../scenarios-runner/site.ts'

export const kinds = launcherKinds()

/** A node that lends its cores, with a client of the same kind. */
export type LentNode = {
  site: Site
  kind: LauncherKind
  socket: string
  env: NodeJS.ProcessEnv
  runner: Running
  /** Starts the client and leaves it running. */
  start(words: readonly string[], env?: NodeJS.ProcessEnv): Running
  /** Runs the client to its end. */
  run(words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  status(): Promise<NodeStatus>
  /** Waits until the status is as wanted; the time-out shows the last one. */
  waitForStatus(what: string, isTrue: (status: NodeStatus) => boolean): Promise<NodeStatus>
  /** Starts the runner anew, at the same place. */
  restart(): Promise<void>
  /** What was recorded so far. */
  records(): LaunchRecord[]
}

export type NodeOptions = { cpus?: number; gpus?: number; words?: readonly string[]; env?: NodeJS.ProcessEnv }

/** The client's program. */
export const clientPath = (kind: LauncherKind): string => join(build, kind === 'native' ? 'hr-exec' : 'hr-exec.sh')

/** Starts `runner node` in a directory and a place of its own; ended after the test, with what its clients run. */
export async function openNode(kind: LauncherKind, options: NodeOptions = {}): Promise<LentNode> {
  const site = openSite('')
  const socket = site.path('node/node.sock')
  const env = {
    HEADRACE_NODE_SOCKET: socket,
    HEADRACE_LAUNCHER: kind === 'shell' ? 'shell' : undefined,
    ...options.env,
  }
  const { cpus = 8, gpus = 0, words = [] } = options
  const startRunner = () =>
    site.start(['node', '--num-cpus', String(cpus), '--num-gpus', String(gpus), '--overcommit', ...words], env)
  const node: LentNode = {
    site,
    kind,
    socket,
    env,
    runner: startRunner(),
    start: (clientWords, more) => startProgram(site, clientPath(kind), clientWords, { ...env, ...more }),
    run: (clientWords, more) => node.start(clientWords, more).ended,
    async status() {
      const { stdout, stderr } = await node.run(['--node-status'])
      expect(stderr).toBe('')
      return JSON.parse(stdout) as NodeStatus
    },
    async waitForStatus(what, isTrue) {
      let last = await node.status()
      const startedAt = performance.now()
      while (!isTrue(last)) {
        if (performance.now() - startedAt > 15_000)
          throw new Error(`Waited in vain until ${what}: last seen ${JSON.stringify(last)}`)
        last = await node.status()
      }
      return last
    },
    async restart() {
      node.runner = startRunner()
      await lends(node.runner)
    },
    records() {
      const path = site.path(`headrace_output/runner/${hostname()}/exec.jsonl`)
      if (!existsSync(path)) return []
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as LaunchRecord)
    },
  }
  await lends(node.runner)
  return node
}

const lends = (runner: Running): Promise<unknown> =>
  waitUntil(
    'the runner lends its node',
    () => ({ ...runner.output, over: runner.hasEnded() }),
    seen => {
      if (seen.over) throw new Error(`The runner ended: ${seen.stderr}`)
      return seen.stderr.includes('Lending')
    },
  )

/** Starts any program in a site's directory; ended after the test. */
export function startProgram(site: Site, path: string, words: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child: ChildProcess = spawn(path, words, {
    cwd: site.directory,
    env: { ...process.env, HEADRACE_LAUNCH: undefined, HEADRACE_GRANT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout!.on('data', chunk => (output.stdout += chunk))
  child.stderr!.on('data', chunk => (output.stderr += chunk))
  let over = false
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      over = true
      resolve({ code, signal, ...output })
    })
  })
  afterTest(() => void child.kill('SIGKILL'))
  return { child, pid: child.pid!, output, ended, hasEnded: () => over }
}
