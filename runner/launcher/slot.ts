import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { enterGroup } from './memory-groups.ts'
import { findScript } from './places.ts'
import { buildMark, MARK_NAME } from './processes.ts'
import { endInput, sendTogether } from './send.ts'
import { type EnvironmentPlan, type SlotEnvironment, SlotShare } from './slot-environment.ts'
import { DEFAULT_PATH, describeForSlot, encodeTexts } from './slot-request.ts'
import type { LaunchRequest } from './types.ts'

/** What a slot needs to know of its launcher. */
export type SlotSite = {
  launcherId: string
  journal: string
  scratch: string
  memoryGroups?: string
  environment: SlotEnvironment
}

type SlotProcess = ChildProcess & { stdin: Writable; stdout: Readable }

/**
 * Starts bash with one of the stand-in's scripts. Given as text: a script that is read while it runs must not change under it.
 * A session of its own: an interrupt at the terminal is the runner's to handle.
 */
export function startScript(name: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  return spawn('bash', ['--noprofile', '--norc', '-c', readFileSync(findScript(name), 'utf8'), name, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
    // Bytes are bytes; nothing of the user's own shell settings comes in.
    env: { PATH: process.env.PATH ?? DEFAULT_PATH, LC_ALL: 'C', ...env },
  })
}

/** One resident shell and the launches that were given to it, the running one first. */
export class Slot {
  readonly tags: number[] = []
  readonly pid: number
  readonly #process: SlotProcess
  readonly #share: SlotShare
  /** What the latest launch has in common with the next one, unless that one changes it. */
  #settled = ''
  readonly #ended: Promise<unknown>

  /** `onWord` is called when there is something in the journal that must be read at once. */
  constructor(site: SlotSite, number: number, onWord: () => void, onEnd: () => void) {
    const group = site.memoryGroups === undefined ? '' : join(site.memoryGroups, `slot-${site.launcherId}-${number}`)
    const args = [site.launcherId, site.journal, site.scratch, String(number), group]
    this.#process = startScript('slot.sh', args, { [MARK_NAME]: buildMark(site.launcherId, 'slot') }) as SlotProcess
    this.pid = this.#process.pid ?? 0
    if (group !== '' && this.pid > 0) enterGroup(group, this.pid)
    this.#process.stdin.on('error', () => {})
    this.#process.stdout.on('data', onWord)
    this.#ended = new Promise(resolve => {
      this.#process.once('close', resolve)
      // When it could not be started there is an error instead.
      this.#process.once('error', resolve)
    })
    void this.#ended.then(onEnd)
    this.#share = new SlotShare(site.environment.base)
    this.#exportForAll(site.environment.shared)
  }

  /** `path`: along which its program is looked for. `queued`: behind another one, so that it may be taken back. */
  launch(request: LaunchRequest, queued: boolean, path: string, whole: EnvironmentPlan): void {
    const { plan, fresh } = this.#share.reduce(whole)
    this.#exportForAll(fresh)
    const { common, launch } = describeForSlot(request, queued, path, plan)
    const settled = common.join('\0')
    if (settled !== this.#settled) sendTogether(this.#process.stdin, encodeTexts(common))
    this.#settled = settled
    sendTogether(this.#process.stdin, encodeTexts(launch))
  }

  #exportForAll(entries: readonly string[]): void {
    if (entries.length > 0) sendTogether(this.#process.stdin, encodeTexts(['share', ...entries]))
  }

  /** Lets the shell end when it has done what it was given. */
  async end(): Promise<void> {
    endInput(this.#process.stdin)
    await this.#ended
  }

  /** Ends it at once and hears no more of it. */
  forsake(): void {
    this.#process.stdout.removeAllListeners('data')
    this.#process.kill('SIGKILL')
  }
}
