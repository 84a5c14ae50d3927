import { readdirSync, readFileSync } from 'node:fs'

/** What one look at a process tells. */
export type Seen = {
  pid: number
  parent: number
  group: number
  /** User and system time since its start, of its own threads alone. */
  cpuMs: number
  residentBytes: number
}

const DIGIT_ONE = 49
const DIGIT_NINE = 57
/** Clock ticks of /proc, which every Linux shows as hundredths of a second. */
const MS_PER_TICK = 10
/** The entry of the auxiliary vector that holds the size of a page (getauxval(3), AT_PAGESZ). */
const PAGE_SIZE_ENTRY = 6n
const USUAL_PAGE_BYTES = 4096

/** The kernel's own threads are children of this one. */
const KERNEL = 2
/** They are most of what a large node runs, and keep running: only every so often is each looked at again. */
const KERNEL_LOOKS = 16

export type ReadTable = () => Map<number, Seen>

/**
 * Gives a function that tells what runs on this machine now, without the kernel's threads: nothing where there is no /proc. One walk takes
 * some 15 µs for a process.
 */
export function createTableReader(): ReadTable {
  const pageBytes = readPageSize()
  const kernel = new Set<string>()
  let looks = 0
  return () => {
    if (looks++ % KERNEL_LOOKS === 0) kernel.clear()
    const table = new Map<number, Seen>()
    for (const name of listProc()) {
      const first = name.charCodeAt(0)
      // Only processes have names that begin with a digit.
      if (first < DIGIT_ONE || first > DIGIT_NINE || kernel.has(name)) continue
      const seen = readSeen(name, pageBytes)
      if (seen?.parent === KERNEL) kernel.add(name)
      else if (seen !== undefined) table.set(seen.pid, seen)
    }
    return table
  }
}

function listProc(): string[] {
  try {
    return readdirSync('/proc')
  } catch {
    return []
  }
}

/** undefined when it has ended meanwhile. */
function readSeen(pid: string, pageSize: number): Seen | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The program's name stands in brackets and may hold anything: the fields begin after the last one, with the state.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    pid: Number(pid),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    residentBytes: Number(fields[21]) * pageSize,
  }
}

/** Pairs of words; the numbers are of the machine's own order, which is little-endian wherever we run. */
function readPageSize(): number {
  try {
    const words = readFileSync('/proc/self/auxv')
    for (let at = 0; at + 16 <= words.length; at += 16) {
      if (words.readBigUInt64LE(at) === PAGE_SIZE_ENTRY) return Number(words.readBigUInt64LE(at + 8))
    }
  } catch {
    // Where nothing can be read there is no table either.
  }
  return USUAL_PAGE_BYTES
}
