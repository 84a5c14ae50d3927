import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openLauncher } from '../../runner/launcher/open.ts'
import { isAlive, readProcess } from '../../runner/launcher/processes.ts'
import type { Exited, Launcher, LauncherKind, LaunchRequest, Started } from '../../runner/launcher/types.ts'
import { afterTest } from '../helpers/after-test.ts'
import { launcherKinds } from '../helpers/launcher-kinds.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
execFileSync('sh', [join(root, 'runner/launcher/native/build.sh'), join(root, 'dist')])
export const kinds = launcherKinds()

export const launcherSources = join(root, 'runner/launcher')
export const jobFixture = (name: string) => join(root, 'tests/fixtures/jobs', name)
export const existsAt = (directory: string, name: string) => existsSync(join(directory, name))
export const readText = (path: string) => readFileSync(path, 'utf8')

/** Waits for a fact; the time-out tells what was seen last. */
export async function waitUntil<T>(
  what: string,
  look: () => T,
  isTrue: (seen: T) => boolean,
  patienceMs = 15_000,
): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    const seen = look()
    if (isTrue(seen)) return seen
    if (performance.now() - startedAt > patienceMs)
      throw new Error(`Waited in vain until ${what}: last seen ${JSON.stringify(seen)}`)
    await sleep(5)
  }
}

export const isGone = (pid: number) => !isAlive(readProcess(pid))

export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-launcher-test-'))
  afterTest(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export type Site = {
  launcher: Launcher
  directory: string
  journal: string
  started: Started[]
  exited: Exited[]
  lost: string[]
  /** Fills in what a test does not care for; tags count up from 0. */
  launch(request: Partial<LaunchRequest>): number
  exitOf(tag: number): Promise<Exited>
  startOf(tag: number): Promise<Started>
  /** Launches and waits for the end. */
  run(request: Partial<LaunchRequest>): Promise<Exited>
}

/** An open launcher in a directory of its own, with all it told; closed and removed after the test. */
export async function openSite(kind: LauncherKind): Promise<Site> {
  const directory = makeDirectory()
  const journal = join(directory, 'journal')
  const started: Started[] = []
  const exited: Exited[] = []
  const lost: string[] = []
  const launcher = await openLauncher({
    journal,
    kind,
    slots: 2,
    onStarted: events => void started.push(...events),
    onExited: events => void exited.push(...events),
    onLost: reason => void lost.push(reason),
  })
  afterTest(() => launcher.close({ kill: true }))
  let nextTag = 0
  const find = <T extends { tag: number }>(events: T[], tag: number, what: string) =>
    waitUntil(
      what,
      () => events.find(event => event.tag === tag),
      event => event !== undefined,
    ).then(event => event as T)
  const site: Site = {
    launcher,
    directory,
    journal,
    started,
    exited,
    lost,
    launch(request) {
      const tag = request.tag ?? nextTag++
      launcher.launch({ label: `job ${tag}`, argv: ['true'], env: {}, stdout: null, stderr: null, ...request, tag })
      return tag
    },
    exitOf: tag => find(exited, tag, `launch ${tag} has ended`),
    startOf: tag => find(started, tag, `launch ${tag} has started`),
    run: request => site.exitOf(site.launch(request)),
  }
  return site
}
