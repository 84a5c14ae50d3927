import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, listProcesses, type Process, readMarks, signalProcess } from '../launcher/processes.ts'

/** Between TERM and KILL, for what outlived its client: it has had its chance. */
const GRACE_MS = 1_000
const LOOK_MS = 50

/** Processes of launches: a group, and everything that bears one of their marks. */
function findProcesses(ids: ReadonlySet<string>, group: number): Process[] {
  return listProcesses().filter(
    found => isAlive(found) && ((group > 0 && found.group === group) || readMarks(found.pid).some(id => ids.has(id))),
  )
}

/** Ends what launches left behind, and a process group unless it is 0: TERM first. Resolves when nothing of it is there any more. */
export async function endProcesses(ids: ReadonlySet<string>, group: number): Promise<void> {
  const startedAt = performance.now()
  for (let signalled = new Set<number>(); ; await sleep(LOOK_MS)) {
    const left = findProcesses(ids, group)
    if (left.length === 0) return
    const isLate = performance.now() - startedAt > GRACE_MS
    for (const { pid } of left) if (isLate || !signalled.has(pid)) signalProcess(pid, isLate ? 'SIGKILL' : 'SIGTERM')
    signalled = new Set(left.map(({ pid }) => pid))
  }
}
