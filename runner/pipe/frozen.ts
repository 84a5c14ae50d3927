import { existsSync, readFileSync } from 'node:fs'
import { placesIn } from './directory.ts'
import type { PipeMember, PipeRun } from './wire.ts'
import { writeWhole } from './write-whole.ts'

/** What a run directory holds of its run: enough to read it back wherever it was moved to. */
export type FrozenRun = { version: 1; id: number; workflow_id: number; scheduler: string; family: string }

/** One member as it was staged. A kind that is not known here came from another program, or a later version. */
export type FrozenMember = { job_id: number; name: string; kind: string; command?: string }

/** What a member is unless it says otherwise: a command for the shell. */
export const COMMAND_KIND = 'command'

export type FrozenDirectory = {
  run: FrozenRun | undefined
  members: FrozenMember[]
  /** Files, and lines of them, that cannot be read. */
  unreadable: string[]
}

/** Writes what was staged, each file whole or not at all. Writing it again gives the same text. */
export function writeFrozen(run: PipeRun, members: readonly PipeMember[]): void {
  const places = placesIn(run.directory)
  const lines = members.map(member => {
    const { job_id, name, command, invocation_script, env, family, tags } = member
    return JSON.stringify({ kind: COMMAND_KIND, job_id, name, family, tags, command, invocation_script, env })
  })
  writeWhole(places.members, lines.map(line => `${line}\n`).join(''))
  const { id, workflow_id, scheduler, key, spec } = run
  const { width, throttle, walltime_seconds, post_step } = run
  const frozen: FrozenRun & object = {
    version: 1,
    id,
    workflow_id,
    scheduler,
    family: key.family,
    ...{ key, spec, width, throttle, walltime_seconds, post_step, members: members.length },
  }
  writeWhole(places.run, `${JSON.stringify(frozen, null, 2)}\n`)
}

/**
 * Reads a run directory back. What is missing gets its default, what cannot be read is listed and never left out of a count in silence:
 * one member of ten that cannot be read keeps the run from being called complete.
 */
export function readFrozen(directory: string): FrozenDirectory {
  const places = placesIn(directory)
  const unreadable: string[] = []
  const run = parseRun(readText(places.run))
  if (run === undefined) unreadable.push('run.json')
  const members: FrozenMember[] = []
  const text = readText(places.members)
  if (text === undefined) unreadable.push('members.jsonl')
  for (const [index, line] of (text ?? '').split('\n').entries()) {
    if (line === '') continue
    const member = parseMember(line)
    if (member === undefined) unreadable.push(`members.jsonl:${index + 1}`)
    else members.push(member)
  }
  return { run, members, unreadable }
}

/** Members of kinds that nothing here can run, by job id; none where the file cannot be read. */
export function unknownKinds(directory: string): Map<number, string> {
  const { members } = readFrozen(directory)
  return new Map(members.filter(({ kind }) => kind !== COMMAND_KIND).map(({ job_id, kind }) => [job_id, kind]))
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function parseRun(text: string | undefined): FrozenRun | undefined {
  const found = parseObject(text ?? '')
  if (typeof found?.id !== 'number' || typeof found.workflow_id !== 'number') return undefined
  const { id, workflow_id, scheduler, family } = found
  return { version: 1, id, workflow_id, scheduler: textOr(scheduler, 'local'), family: textOr(family, 'default') }
}

function parseMember(line: string): FrozenMember | undefined {
  const found = parseObject(line)
  if (typeof found?.job_id !== 'number') return undefined
  const { job_id, name, kind, command } = found
  return { job_id, name: textOr(name, ''), kind: textOr(kind, COMMAND_KIND), command: textOr(command, '') }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const textOr = (value: unknown, usual: string): string => (typeof value === 'string' ? value : usual)
