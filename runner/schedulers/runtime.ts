import { callerName } from '../user.ts'
import { type CommandRunner, createCommandRunner } from './command.ts'

/** What an implementation needs of the world. Several clusters are several of these: each with its own environment and PATH. */
export type SchedulerRuntime = {
  run: CommandRunner
  /** Epoch milliseconds. */
  clock(): number
  /** Whose allocations are listed. */
  user: string
  env: NodeJS.ProcessEnv
}

/** The world as it is. `env` decides which client programs are found and which cluster they talk to. */
export function hostRuntime(env: NodeJS.ProcessEnv = process.env): SchedulerRuntime {
  return { run: createCommandRunner(env), clock: Date.now, user: callerName(), env }
}
