import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { openFile } from '../../db/open-file.ts'
import { all } from '../../db/unit.ts'
import { afterTest } from '../helpers/after-test.ts'
import { program } from '../helpers/program.ts'

export { afterTest } from '../helpers/after-test.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const build = program()

export const jobFixture = (name: string): string => join(ROOT, 'tests/fixtures/jobs', name)

export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

export type Running = {
  child: ChildProcess
  pid: number
  /** What it has written so far. */
  output: { stdout: string; stderr: string }
  ended: Promise<Ended>
  hasEnded(): boolean
}

/** A directory to run workflows in, as a user would. Removed after the test, with what still runs in it. */
export type Site = {
  directory: string
  path(name: string): string
  /** Where the journal of this host's launches lies. */
  journal: string
  start(words: readonly string[], env?: NodeJS.ProcessEnv): Running
  run(words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  /** Runs and expects this exit code; throws with all that was written when it is another. */
  runTo(code: number, words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  /** Reads the database; no program may have it open. */
  rows<T>(sql: string): Promise<T[]>
}

/** Variables of whoever runs the tests that would send commands elsewhere. */
const UNSET = {
  HEADRACE_API_URL: undefined,
  TORC_API_URL: undefined,
  HEADRACE_TOKEN: undefined,
  TORC_PASSWORD: undefined,
  CUDA_VISIBLE_DEVICES: undefined,
}

/** Makes a site whose workflow.yaml holds this text. */
export function openSite(workflow: string): Site {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-run-'))
  afterTest(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  writeFileSync(join(directory, 'workflow.yaml'), workflow)
  const path = (name: string): string => join(directory, name)

  function start(words: readonly string[], env?: NodeJS.ProcessEnv): Running {
    const child = spawn(process.execPath, [join(build, 'runner.cjs'), ...words], {
      cwd: directory,
      env: { ...process.env, ...UNSET, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', chunk => (output.stdout += chunk))
    child.stderr.on('data', chunk => (output.stderr += chunk))
    let over = false
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        over = true
        resolve({ code, signal, ...output })
      })
    })
    afterTest(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return { child, pid: child.pid!, output, ended, hasEnded: () => over }
  }

  return {
    directory,
    path,
    journal: path(`headrace_output/runner/${hostname()}/launches.journal`),
    start,
    run: (words, env) => start(words, env).ended,
    async runTo(code, words, env) {
      const ended = await start(words, env).ended
      expect(ended, `exit code of runner ${words.join(' ')}: ${ended.stderr}`).toMatchObject({ code })
      return ended
    },
    async rows<T>(sql: string) {
      const db = openFile(path('headrace_output/headrace.db'))
      try {
        return await db.read(() => all<T>(sql))
      } finally {
        await db.close()
      }
    },
  }
}
