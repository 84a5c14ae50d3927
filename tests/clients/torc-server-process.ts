import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterTest } from '../helpers/after-test.ts'
import { waitUntil } from '../launcher/harness.ts'

export { afterTest } from '../helpers/after-test.ts'

/** The launcher as tools find it. */
export const TORC_SERVER = fileURLToPath(new URL('../../scripts/torc-server', import.meta.url))

export type TorcServer = {
  child: ChildProcess
  /** What it has written so far. */
  output: { stdout: string; stderr: string }
  /** The address with the path of the contract, once its line with the port is there; throws with its words when it ends instead. */
  url(): Promise<string>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

type Options = { program?: string; env?: NodeJS.ProcessEnv }

/** Variables of whoever runs the tests that the launcher reads. */
const UNSET = {
  DATABASE_URL: undefined,
  HEADRACE_TOKEN: undefined,
  TORC_AUTH_FILE: undefined,
  TORC_ADMIN_USERS: undefined,
  TORC_LOG_DIR: undefined,
}

const PORT_LINE = /^TORC_SERVER_PORT=(\d+)$/m

/** An empty folder; gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-torc-server-'))
  afterTest(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts the launcher with these words in a folder that has nothing to do with the project; it ends with the test. */
export function startTorcServer(folder: string, words: readonly string[], options: Options = {}): TorcServer {
  const { program = TORC_SERVER, env } = options
  const child = spawn(program, words, { cwd: folder, env: { ...process.env, ...UNSET, ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    output.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    output.stderr += chunk
  })
  let over = false
  const ended: TorcServer['ended'] = new Promise((resolve, reject) => {
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
  const port = () => PORT_LINE.exec(output.stdout)?.[1]
  return {
    child,
    output,
    ended,
    async url() {
      const found = await waitUntil('the line with the port', port, value => value !== undefined || over, 60_000)
      if (found === undefined) throw new Error(`The launcher ended: ${output.stderr}`)
      return `http://127.0.0.1:${found}/torc-service/v1`
    },
  }
}

/** Sends JSON and gives the reply's. */
export async function post(url: string, body: object): Promise<{ id: number }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as { id: number }
}
