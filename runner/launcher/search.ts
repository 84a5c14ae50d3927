import { isAlive, isBetween, listProcesses, type Process, readMarks, readProcess } from './processes.ts'

/** By what processes are known that are looked for. */
export type Evidence = {
  /** `marks` as in readMarks(); undefined while nobody can read them (isBetween()). Not asked about members of the groups. */
  isSought(found: Process, marks: readonly string[] | undefined): boolean
  /** Groups that are sought whole, from all processes; asked at every look. */
  groups?(byPid: ReadonlyMap<number, Process>): Iterable<number>
}

/** What a look found; `over` when nothing of it is there any more, as far as anybody can tell. */
export type Look = { found: Process[]; over: boolean }

/** A process may start another one and end while we look, so that one look misses both. */
const QUIET_LOOKS = 2
/** What nobody can tell anything of for so long hangs in the kernel, and is hardly one of those we look for. */
const BETWEEN_PATIENCE_MS = 2_000

const identify = ({ pid, startTicks }: Process): string => `${pid} ${startTicks}`

/**
 * Looks through all processes, again and again, for those of which none may be overlooked. What was found once stays sought until it is
 * gone: a process that ends loses its environment first, its files and locks last.
 */
export class Search {
  readonly #evidence: Evidence
  readonly #sought = new Set<string>()
  readonly #others = new Set<string>()
  readonly #groups = new Set<number>()
  #quietLooks = 0
  #undecidedSinceMs: number | undefined

  constructor(evidence: Evidence) {
    this.#evidence = evidence
  }

  look(): Look {
    const processes = listProcesses()
    this.#updateGroups(processes)
    const living = processes.filter(isAlive)
    for (const one of living) this.#decide(one)
    const found = living.filter(one => this.#sought.has(identify(one)))
    const isUndecided = living.some(one => !this.#sought.has(identify(one)) && !this.#others.has(identify(one)))
    const isQuiet = found.length === 0 && !this.#waitsForDecision(isUndecided)
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0
    return { found, over: this.#quietLooks >= QUIET_LOOKS }
  }

  /** A group stays the same one for as long as it has a member, be it one that was not waited for: nobody else gets its number. */
  #updateGroups(processes: readonly Process[]): void {
    const there = new Set(processes.map(({ group }) => group))
    for (const group of this.#groups) if (!there.has(group)) this.#groups.delete(group)
    const byPid = new Map(processes.map(one => [one.pid, one]))
    for (const group of this.#evidence.groups?.(byPid) ?? []) this.#groups.add(group)
  }

  #decide(one: Process): void {
    const identity = identify(one)
    if (this.#sought.has(identity) || this.#others.has(identity)) return
    if (this.#groups.has(one.group)) {
      this.#sought.add(identity)
      return
    }
    const marks = isBetween(one) ? undefined : readMarks(one.pid)
    if (this.#evidence.isSought(one, marks)) this.#sought.add(identity)
    // It may have gone on to another program while we read. Each has its environment elsewhere.
    else if (marks && readProcess(one.pid)?.environmentEnd === one.environmentEnd) this.#others.add(identity)
  }

  #waitsForDecision(isUndecided: boolean): boolean {
    if (!isUndecided) this.#undecidedSinceMs = undefined
    else this.#undecidedSinceMs ??= performance.now()
    return isUndecided && performance.now() - this.#undecidedSinceMs! < BETWEEN_PATIENCE_MS
  }
}
