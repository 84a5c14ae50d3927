import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, readProcess } from '../../runner/launcher/processes.ts'

/** In a process group of its own: all of it is killed when the shell's input ends, which is with the test, however that ends. */
const WATCHED = '"$@" & cat > /dev/null; kill -9 0'

export type WatchedProcess = {
  /** The program's own, for signals. */
  pid(): number
  /** What it has written to its standard error so far. */
  said(): string
  /** Kills it, as a power cut would. */
  end(): Promise<void>
}

/** Starts a program that never outlives the test, not even when the test is killed. */
export function startWatched(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
): WatchedProcess {
  const shell: ChildProcess = spawn('sh', ['-c', WATCHED, 'sh', command, ...args], {
    cwd,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  let text = ''
  shell.stderr!.on('data', chunk => {
    text += chunk
  })
  return {
    // The shell starts the program first, and the one that watches its input after it.
    pid: () => childrenOf(shell.pid!)[0] ?? Number.NaN,
    said: () => text,
    async end() {
      if (shell.exitCode !== null || shell.signalCode !== null) return
      const programs = childrenOf(shell.pid!)
      const gone = once(shell, 'exit')
      shell.stdin!.end()
      await gone
      // Killed together with the shell, but not gone together: until then it may have the port that the next one wants.
      while (programs.some(pid => isAlive(readProcess(pid)))) await sleep(5)
    },
  }
}

const childrenOf = (pid: number): number[] =>
  (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? []).map(Number)

/** Waits until a server answers well; its last words are in the error of one that does not. */
export async function waitForServer(
  child: WatchedProcess,
  url: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS
  while (!(await answers(url, headers))) {
    if (Date.now() > until) throw new Error(`No answer from ${url}: ${child.said()}`)
    await sleep(10)
  }
}

const READY_WITHIN_MS = 60_000

const answers = (url: string, headers: Record<string, string>): Promise<boolean> =>
  fetch(url, { headers }).then(
    response => response.ok,
    () => false,
  )
