import { existsSync, statSync } from 'node:fs'
import type { LogFiles } from '../stdio.ts'
import type { End } from './end.ts'
import type { Joblog } from './joblog.ts'
import type { Task } from './jobs.ts'
import { printOutput, type Sinks } from './output.ts'

/** Tells people how a job ended: prints its output, then adds it to the job log. */
export type Tell = (task: Task, logs: LogFiles, end: End) => void

/** The line in the log comes last, so that whoever goes on by it after a kill has seen the output of all that it leaves out. */
export const createTell =
  ({ joblog, tag, sinks }: { joblog: Joblog | undefined; tag: boolean; sinks: Sinks }): Tell =>
  (task, logs, end) => {
    const received = sizeOf(logs.stdout)
    printOutput(logs, tag ? `${task.values.join(' ')}\t` : undefined, sinks)
    joblog?.add({ seq: task.seq, ...end, received, command: task.command })
  }

const sizeOf = (path: string | null): number => (path !== null && existsSync(path) ? statSync(path).size : 0)
