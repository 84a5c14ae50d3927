import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'

/** What Linux tells of a process in /proc/PID/stat (proc_pid_stat(5)); elsewhere nothing is found. */
export type Process = {
  pid: number
  state: string
  group: number
  startTicks: number
  threads: number
  isKernels: boolean
  /** Where in its memory its environment ends: 0 when it has none, or we may not know. */
  environmentEnd: number
}

/** PF_KTHREAD of the kernel's include/linux/sched.h. */
const KERNEL_THREAD = 0x00200000

/** A range of start times in clock ticks since boot, both ends included. */
export type TickWindow = { fromTicks: number; toTicks: number }

export const MARK_NAME = 'HEADRACE_LAUNCH'

/** A launch's mark. Those of launchers around us stay in front, so that the outermost one finds our jobs too. */
export function buildMark(launcherId: string, tag: number | string): string {
  const inherited = process.env[MARK_NAME]
  return `${inherited === undefined ? '' : `${inherited} `}${launcherId}.${tag}`
}

/** Whether the system tells of processes at all. */
export const hasProc = existsSync('/proc/self/stat')

/** undefined when there is no such process, or no /proc. */
export function readProcess(pid: number): Process | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The program's name stands in brackets and may hold anything: the fields begin after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    pid,
    state: fields[0] ?? '',
    group: Number(fields[2]),
    startTicks: Number(fields[19]),
    threads: Number(fields[17]),
    isKernels: (Number(fields[6]) & KERNEL_THREAD) !== 0,
    environmentEnd: Number(fields[48]),
  }
}

export function listProcesses(): Process[] {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return []
  }
  return names
    .filter(name => /^\d+$/.test(name))
    .map(name => readProcess(Number(name)))
    .filter(process => process !== undefined)
}

/** A process that has ended but was not waited for does nothing any more, unless only its first thread has ended. */
export function isAlive(process: Process | undefined): process is Process {
  return process !== undefined && process.state !== 'X' && (process.state !== 'Z' || process.threads > 1)
}

/** Whether this very process lives: a pid may have gone to another one since. */
export function isStillThere(pid: number, startTicks: number): boolean {
  const found = readProcess(pid)
  return isAlive(found) && found.startTicks === startTicks
}

export function startedWithin(process: Process, window: TickWindow): boolean {
  return process.startTicks >= window.fromTicks && process.startTicks <= window.toTicks
}

/** The launches that a process descends from, as `launcherId.tag`, outermost first; none when its environment may not be read. */
export function readMarks(pid: number): string[] {
  const entry = readTexts(pid, 'environ').find(text => text.startsWith(`${MARK_NAME}=`))
  return entry === undefined ? [] : entry.slice(MARK_NAME.length + 1).split(' ')
}

/** The program a process was started as, and its arguments; nothing when that may not be read. */
export const readArguments = (pid: number): string[] => readTexts(pid, 'cmdline')

function readTexts(pid: number, name: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1').split('\0')
  } catch {
    return []
  }
}

/**
 * Whether nobody can tell what a living process of our user runs: it is on its way from one program to the next, or has given back its
 * memory and not yet its files. Neither lasts.
 */
export function isBetween({ pid, environmentEnd, isKernels }: Process): boolean {
  return environmentEnd === 0 && !isKernels && tellsEnvironments() && isOurs(pid)
}

/** Not every system that has a /proc says where an environment lies. */
function tellsEnvironments(): boolean {
  told ??= (readProcess(process.pid)?.environmentEnd ?? 0) > 0
  return told
}
let told: boolean | undefined

function isOurs(pid: number): boolean {
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return false
    readFileSync(`/proc/${pid}/environ`)
    return true
  } catch (error) {
    // Some of our own user we may not look into; where there is nothing to look into, it is another error.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Sends a signal to a process group; one that has ended is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalProcess(-group, signal)
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Ended in the meantime.
  }
}

/** Sends a signal to every living process with a mark that the test accepts; returns to how many. */
export function signalMarked(accepts: (mark: string, found: Process) => boolean, signal: NodeJS.Signals): number {
  const marked = listProcesses().filter(
    found => isAlive(found) && readMarks(found.pid).some(mark => accepts(mark, found)),
  )
  for (const { pid } of marked) signalProcess(pid, signal)
  return marked.length
}

/** Names this boot of this machine; '-' where the system does not say. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return '-'
  }
}
