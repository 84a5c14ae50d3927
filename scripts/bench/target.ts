import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { start } from './process.ts'
import type { Served } from './programs/serve-target.ts'
import type { Setting } from './types.ts'
import { waitUntil } from './wait-until.ts'

/** Whether the packages of the tests are there, which bring other kinds of control planes and a database server. */
export const hasTargets = ({ root }: Setting): boolean => existsSync(join(root, 'tests/node_modules/miniflare'))

/**
 * Serves a control plane of one kind, as the conformance tests do, with a database server of its own while `work` goes on. All its files
 * are below the directory: it is ended without a chance to remove them. Throws when it cannot start.
 */
export async function withTarget<T>(
  setting: Setting,
  directory: string,
  kind: string,
  work: (served: Served) => Promise<T>,
): Promise<T> {
  const words = [join(setting.bundle, 'programs/serve-target.mjs'), kind]
  const { child, ended } = start(process.execPath, words, { cwd: setting.bundle, env: { TMPDIR: directory } })
  try {
    let said = ''
    child.stdout!.on('data', chunk => (said += chunk))
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    const line = await waitUntil(`the address of ${kind}`, () => /^.*\n/.exec(said)?.[0] ?? (hasEnded() || undefined))
    if (line === true) throw new Error(`Cannot start ${kind}: ${(await ended).stderr.trim()}`)
    return await work(JSON.parse(line) as Served)
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
