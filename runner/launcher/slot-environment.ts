import { MARK_NAME } from './processes.ts'
import { listOverlay } from './request.ts'
import type { LaunchRequest } from './types.ts'

/** How a slot gives a job its environment. */
export type EnvironmentPlan =
  /** Bash exports it and becomes the program: what the slot shares, without `hidden`, with `entries` and `_` over it. */
  | { by: 'export'; lastWord: string; hidden: string[]; entries: string[] }
  /** `env` makes it from nothing, where bash itself cannot: one program more to start. */
  | { by: 'env'; entries: string[] }

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Variables that bash refuses to take, computes itself or obeys. BASH_ENV is read when bash starts, never later. */
const BASH_OWN = new RegExp(
  `^(${[
    'BASH(?!_ENV$).*',
    'CDPATH|COMP_.*|COPROC|DIRSTACK|EPOCH.*|EUID|EXECIGNORE|FUNCNAME|FUNCNEST|GLOBIGNORE|GROUPS',
    'HISTCMD|HISTFILESIZE|IFS|LINENO|OPTARG|OPTERR|OPTIND|PIPESTATUS|POSIXLY_CORRECT|PPID',
    'RANDOM|SECONDS|SHELLOPTS|SRANDOM|TMOUT|UID',
    // Lists of slot.sh.
    'fields|hidden|take_bytes',
  ].join('|')})$`,
)
/**
 * Variables that each job's shell exports for itself: bash writes the first three as it goes, the slot needs its own LC_ALL, and names
 * with small letters are the script's.
 */
const PER_JOB = /^(PWD|OLDPWD|SHLVL|LC_ALL)$|[a-z]/
/** What bash can count one down from and not come to another spelling. */
const LEVEL = /^(0|[1-9]\d{0,2})$/
const HIGHEST_LEVEL = 998

const isExportable = (name: string) => SHELL_NAME.test(name) && !BASH_OWN.test(name)

/** The environment that a launcher's jobs share, apart from each job's changes to it. */
export class SlotEnvironment {
  readonly base: Readonly<Record<string, string>>
  /** NAME=VALUE, to be exported by a slot once; none when bash cannot hold the whole environment. */
  readonly shared: readonly string[]
  readonly #sharedNames: readonly string[]
  readonly #isExportable: boolean
  readonly #perJob: Record<string, string> = {}

  constructor(base: Record<string, string>) {
    this.base = base
    this.#isExportable = Object.keys(base).every(isExportable)
    const shared: Record<string, string> = {}
    for (const [name, value] of Object.entries(base)) {
      if (name !== '_') (PER_JOB.test(name) ? this.#perJob : shared)[name] = value
    }
    this.#sharedNames = Object.keys(shared)
    this.shared = this.#isExportable ? listOverlay(shared) : []
  }

  plan(changes: LaunchRequest['env'], mark: string): EnvironmentPlan {
    return this.#planExport(changes, mark) ?? { by: 'env', entries: listSet({ ...this.base, ...changes }, mark) }
  }

  /** undefined where bash cannot do it. `exec` always hands on SHLVL and looks along PATH, so that both must be wanted. */
  #planExport(changes: LaunchRequest['env'], mark: string): EnvironmentPlan | undefined {
    if (!this.#isExportable || !Object.keys(changes).every(isExportable)) return undefined
    const { PATH: path, SHLVL: level, _: lastWord } = { ...this.#special(), ...changes }
    if (!path || !lastWord || !level || !LEVEL.test(level) || Number(level) > HIGHEST_LEVEL) return undefined
    // `exec` counts one down, for the shell that goes away.
    const entries: LaunchRequest['env'] = { ...this.#perJob, ...changes, SHLVL: String(Number(level) + 1), _: null }
    const hidden = this.#sharedNames.filter(name => changes[name] === null)
    for (const name of ['PWD', 'OLDPWD']) if (typeof entries[name] !== 'string') hidden.push(name)
    return { by: 'export', lastWord, hidden, entries: listSet(entries, mark) }
  }

  #special(): LaunchRequest['env'] {
    const { PATH = null, SHLVL = null, _ = null } = this.base
    return { PATH, SHLVL, _ }
  }
}

/** Variables of ours, which most jobs of a run have in common. */
const OURS = /^(TORC|HEADRACE)_/
/** Those that every plan speaks of, so that nothing below them ever shows. */
const EVERYWHERE = /^(PWD|OLDPWD|SHLVL)$/

const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='))

/** What a slot has exported besides: reading it anew for each job would cost bash as much as some other part of a start. */
export class SlotShare {
  readonly #base: Readonly<Record<string, string>>
  readonly #shared = new Map<string, string>()
  #before = new Set<string>()

  /** `base`: the environment below that of the jobs, which has to show through where a job has nothing of its own. */
  constructor(base: Readonly<Record<string, string>>) {
    this.#base = base
  }

  /** Leaves out of a plan what the slot has; what two jobs in a row have in common is `fresh`, to be shared ahead of this one. */
  reduce(plan: EnvironmentPlan): { plan: EnvironmentPlan; fresh: string[] } {
    if (plan.by !== 'export') return { plan, fresh: [] }
    const ours = plan.entries.filter(entry => this.#isShareable(entry))
    const fresh = ours.filter(entry => this.#before.has(entry) && this.#shared.get(nameOf(entry)) !== entry)
    for (const entry of fresh) this.#shared.set(nameOf(entry), entry)
    this.#before = new Set(ours)
    const names = new Set(ours.map(nameOf))
    return {
      plan: {
        ...plan,
        hidden: [...plan.hidden, ...[...this.#shared.keys()].filter(name => !names.has(name))],
        entries: plan.entries.filter(entry => this.#shared.get(nameOf(entry)) !== entry),
      },
      fresh,
    }
  }

  #isShareable(entry: string): boolean {
    const name = nameOf(entry)
    return EVERYWHERE.test(name) || (OURS.test(name) && this.#base[name] === undefined)
  }
}

function listSet(entries: LaunchRequest['env'], mark: string): string[] {
  return listOverlay({ ...entries, [MARK_NAME]: mark }).filter(entry => entry.includes('='))
}
