import type { CommandResult, CommandRunner } from '../../runner/schedulers/command.ts'
import type { SchedulerRuntime } from '../../runner/schedulers/runtime.ts'

/** A world in which every command ends as recorded; `calls` are the commands that were run. */
export function recorded(...results: CommandResult[]): SchedulerRuntime & { calls: string[][] } {
  const calls: string[][] = []
  const run: CommandRunner = async argv => {
    calls.push([...argv])
    const result = results[Math.min(calls.length, results.length) - 1]
    if (result === undefined) throw new Error(`Nothing is recorded for ${argv.join(' ')}`)
    return result
  }
  return { run, clock: () => 1_000_000, user: 'ada', env: {}, calls }
}

export const exited = (code: number, stdout = '', stderr = ''): CommandResult => ({
  kind: 'exited',
  code,
  stdout,
  stderr,
})
export const broken: CommandResult = { kind: 'broken', message: 'no answer within 30 s', stdout: '', stderr: '' }
export const missing: CommandResult = { kind: 'missing', message: 'Cannot run it as it is not on PATH' }
