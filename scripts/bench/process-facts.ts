import { readdirSync, readFileSync } from 'node:fs'

/** What Linux tells of a running process in /proc. Elsewhere, and for a process that has ended, figures are NaN: never guessed. */

/** USER_HZ: 100 on every architecture Linux runs Node on. */
const TICKS_PER_SECOND = 100

export const memoryMb = (pid: number): number => statusMb(pid, 'VmRSS')

/** The most memory the process has had so far. */
export const peakMemoryMb = (pid: number): number => statusMb(pid, 'VmHWM')

export function cpuSeconds(pid: number): number {
  // The name in brackets may hold blanks: user and system time are the 12th and 13th field after it.
  const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Children of a process, whichever of its threads started them. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(thread => pids(read(pid, `task/${thread}/children`)))
  } catch {
    return []
  }
}

const pids = (text: string): number[] => text.split(' ').filter(Boolean).map(Number)

function statusMb(pid: number, key: string): number {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(read(pid, 'status'))
  return found === null ? Number.NaN : (Number(found[1]) * 1024) / 1e6
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return ''
  }
}
