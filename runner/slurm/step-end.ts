import { readFileEnd } from '../file-end.ts'
import type { FinaliseTask } from '../job-threads/finalisers.ts'
import { logPaths } from '../stdio.ts'

/** srun's words are the last there are: a line for each kind of end and range of tasks. */
const READ_BYTES = 65_536

/**
 * What srun and the step's daemon say of memory: by cgroups (srun itself ends with 1 then), and by sampling (`OverMemoryKill`). The daemon
 * has its node's name behind its own where several run on a host.
 */
const OUT_OF_MEMORY =
  /^(srun: error: \S+: tasks? \S+: Out Of Memory|slurmstepd\S*: error: (Detected \d+ oom[-_]kill event|(StepId=|Step )\S+ exceeded memory limit))/im
/** How tasks ended, in the order in which they did. */
const TASK_ENDED = /^srun: error: \S+: tasks? \S+: (?:Exited with exit code (?<code>\d+)|(?<signal>[A-Z][a-z ]+))/gm
/** Signals as strsignal(3) of the C library calls them. */
const SIGNALS: Readonly<Record<string, number>> = {
  Hangup: 1,
  Interrupt: 2,
  Quit: 3,
  'Illegal instruction': 4,
  Aborted: 6,
  'Bus error': 7,
  'Floating point exception': 8,
  Killed: 9,
  'Segmentation fault': 11,
  'Broken pipe': 13,
  Terminated: 15,
}
const SIGNAL_BASE = 128

/**
 * The end of the step behind an srun that has failed: its code does not tell a signal from a code, nor a want of memory from a failure, and
 * of several tasks it tells the signal that ended the others when one had failed. Its words in the job's log do; without a log the end stays
 * what it looks like.
 */
export function endOfStep<Task extends Pick<FinaliseTask, 'attempt' | 'end' | 'reason'>>(task: Task): Task {
  const { code, ...end } = task.end
  if (code === undefined || code === 0) return task
  const [path] = logPaths(task.attempt.logs)
  const words = path === undefined ? '' : readFileEnd(path, READ_BYTES)
  if (OUT_OF_MEMORY.test(words)) return { ...task, reason: task.reason ?? 'oom' }
  const tasks = [...words.matchAll(TASK_ENDED)].map(({ groups }) => groups!)
  const [first] = tasks
  const isChosen = tasks.some(one => one.code === String(code))
  if (code <= SIGNAL_BASE || first === undefined || isChosen) return task
  if (first.code !== undefined) return { ...task, end: { ...end, code: Number(first.code) } }
  return { ...task, end: { ...end, signal: SIGNALS[first.signal!.trim()] ?? code - SIGNAL_BASE } }
}
