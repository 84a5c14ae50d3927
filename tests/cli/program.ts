import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is shipped; `npm test` builds it before the tests run. */
export const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))

export type Ended = { code: number | null; stdout: string; stderr: string }

export type Program = {
  /** An empty directory, where commands run. */
  directory: string
  /** Runs the command line to its end, with `input` on standard input or none at all. */
  run(words: readonly string[], env?: NodeJS.ProcessEnv, input?: string): Promise<Ended>
  /** Starts it and leaves it running. */
  start(words: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
  close(): void
}

/** Variables of whoever runs the tests that would send commands elsewhere. */
const UNSET = {
  HEADRACE_API_URL: undefined,
  TORC_API_URL: undefined,
  HEADRACE_TOKEN: undefined,
  HEADRACE_TOKEN_FILE: undefined,
  TORC_PASSWORD: undefined,
}

/** The command line in a directory of its own. Close it to remove the directory. */
export function openProgram(): Program {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-cli-'))
  const startWith = (words: readonly string[], env: NodeJS.ProcessEnv | undefined, stdin: 'ignore' | 'pipe') =>
    spawn(process.execPath, [BUNDLE, ...words], {
      cwd: directory,
      env: { ...process.env, ...UNSET, ...env },
      stdio: [stdin, 'pipe', 'pipe'],
    })

  return {
    directory,
    start: (words, env) => startWith(words, env, 'ignore'),
    run(words, env, input) {
      const child = startWith(words, env, input === undefined ? 'ignore' : 'pipe')
      child.stdin?.end(input)
      const ended: Ended = { code: null, stdout: '', stderr: '' }
      child.stdout!.on('data', chunk => {
        ended.stdout += chunk
      })
      child.stderr!.on('data', chunk => {
        ended.stderr += chunk
      })
      return new Promise((resolve, reject) => {
        child.on('error', reject)
        child.on('close', code => resolve({ ...ended, code }))
      })
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
