import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { skipUnless } from '../helpers/skip.ts'

/** Published clients of Torc for Python: API 0.15, where some fields are text, and API 0.21, where they are objects. */
export const VERSIONS = ['0.27.0', '0.35.0'] as const
export type Version = (typeof VERSIONS)[number]

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The folder of programs of the environment that scripts/install-torc-clients.sh made. */
export const programsOf = (version: Version): string => pathOf(`../node_modules/.torc-clients/${version}/bin`)

const isInstalled = VERSIONS.every(version => existsSync(`${programsOf(version)}/../installed.txt`))

/** `it` where both clients are installed. */
export const itWithClients = skipUnless(isInstalled, "no Python or no package index: Torc's Python clients")

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it
type Value = any
type Answer = { value: Value } | { status: number; body: string } | { fault: string }

export type TorcClient = {
  version: Version
  /** Calls an operation of the package, or a `helper_`, and gives what its models made of the reply; throws on anything else. */
  call(name: string, args?: object): Promise<Value>
  /** Calls an operation that the server refuses; gives the status and the text. */
  refused(name: string, args?: object): Promise<{ status: number; body: string }>
  close(): void
}

/** Starts the package of that version in a process of its own, as a client of the server at that address. */
export function openTorcClient(version: Version, url: string): TorcClient {
  const env = { ...process.env, TORC_PASSWORD: undefined }
  const child = spawn(`${programsOf(version)}/python`, [pathOf('bridge.py'), `${url}/torc-service/v1`], { env })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })

  async function ask(name: string, args: object): Promise<Answer> {
    child.stdin.write(`${JSON.stringify({ call: name, arguments: args })}\n`)
    const line = await lines.next()
    if (line.done) throw new Error(`torc-client ${version} ended: ${stderr}`)
    return JSON.parse(line.value)
  }

  return {
    version,
    async call(name, args = {}) {
      const answer = await ask(name, args)
      if ('value' in answer) return answer.value
      throw new Error(`torc-client ${version}, ${name}: ${JSON.stringify(answer)}`)
    },
    async refused(name, args = {}) {
      const answer = await ask(name, args)
      if ('status' in answer) return answer
      throw new Error(`torc-client ${version}, ${name} was not refused: ${JSON.stringify(answer)}`)
    },
    close: () => child.stdin.end(),
  }
}
