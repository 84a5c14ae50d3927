import { readFileSync } from 'node:fs'
import type { CommandResult, CommandRunner } from '../../runner/schedulers/command.ts'

/** What a program of a real Slurm has said (recorded/README.md). */
export type Recording = { command: string; code: number; stdout: string; stderr: string }

const DIRECTORY = new URL('recorded/', import.meta.url)

export function recordingOf(name: string): Recording {
  const read = (file: string): string => readFileSync(new URL(`${name}/${file}`, DIRECTORY), 'utf8')
  return {
    command: read('command').trimEnd(),
    code: Number(read('status')),
    stdout: read('stdout'),
    stderr: read('stderr'),
  }
}

/** Answers these commands as Slurm did, and no other: whoever asks in other words gets an error. */
export function replay(...names: string[]): CommandRunner {
  const known = new Map(
    names.map(name => {
      const { command, ...said } = recordingOf(name)
      return [command, { kind: 'exited', ...said } satisfies CommandResult]
    }),
  )
  return async argv => {
    const said = known.get(argv.join(' '))
    if (said === undefined) throw new Error(`Nothing is recorded of: ${argv.join(' ')}`)
    return said
  }
}

/** The ids that a recorded command asks for. */
export function askedFor(name: string): string[] {
  const { command } = recordingOf(name)
  const ids = / -j (\S+)/.exec(command)?.[1]
  if (ids === undefined) throw new Error(`The command of ${name} names no ids: ${command}`)
  return ids.split(',')
}
