import { setTimeout as sleep } from 'node:timers/promises'
import { signalProcess } from '../launcher/processes.ts'
import { Search } from '../launcher/search.ts'

/** Between TERM and KILL, for what outlived its client: it has had its chance. */
const GRACE_MS = 1_000
const LOOK_MS = 50

/** Ends what launches left behind, and a process group unless it is 0: TERM first. Resolves when nothing of it is there any more. */
export async function endProcesses(ids: ReadonlySet<string>, group: number): Promise<void> {
  const startedAt = performance.now()
  const search = new Search({
    groups: () => (group > 0 ? [group] : []),
    isSought: (_, marks) => marks?.some(id => ids.has(id)) ?? false,
  })
  for (let signalled = new Set<number>(); ; await sleep(LOOK_MS)) {
    const { found: left, over } = search.look()
    if (over) return
    const isLate = performance.now() - startedAt > GRACE_MS
    for (const { pid } of left) if (isLate || !signalled.has(pid)) signalProcess(pid, isLate ? 'SIGKILL' : 'SIGTERM')
    signalled = new Set(left.map(({ pid }) => pid))
  }
}
