import { isAbsolute, resolve } from 'node:path'
import { encodeLabel, memoryMib } from './request.ts'
import type { EnvironmentPlan } from './slot-environment.ts'
import type { LaunchRequest } from './types.ts'

/** Where the bare shell would look without a PATH. */
export const DEFAULT_PATH = '/usr/bin:/bin'

/** A byte that UTF-8 never has: no text can hold it. */
const TEXT_END = 0xfe
const LENGTH_DIGITS = 8
const IS_ASCII = /^[\0-\x7f]*$/

/**
 * What is sent to the stand-in's slots (native/slot.sh): the length of the rest in 8 characters, then the texts, each with its end.
 * With the length ahead bash reads a request in two calls; up to a NUL it would read byte by byte.
 */
export function encodeTexts(texts: readonly string[]): Buffer {
  const joined = `${' '.repeat(LENGTH_DIGITS)}${texts.join('\0')}\0`
  const frame = IS_ASCII.test(joined) ? Buffer.from(joined, 'latin1') : Buffer.from(joined)
  for (let at = frame.indexOf(0); at >= 0; at = frame.indexOf(0, at + 1)) frame[at] = TEXT_END
  frame.write(String(frame.length - LENGTH_DIGITS), 'latin1')
  return frame
}

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path))

/** What slots are told of a launch: one request with what it is likely to have in common with the next one, one with the rest. */
export type SlotLaunch = { common: string[]; launch: string[] }

/** Paths are made absolute, since a slot stays where the runner was started itself. `path`: along which a program is looked for. */
export function describeForSlot(
  request: LaunchRequest,
  queued: boolean,
  path: string,
  plan: EnvironmentPlan,
): SlotLaunch {
  const stdout = absolute(request.stdout ?? '/dev/null')
  const stderr = request.stderr === 'stdout' ? '' : absolute(request.stderr ?? '/dev/null')
  const directory = stdout.slice(0, stdout.lastIndexOf('/') + 1)
  const logs = stderr === '' || stderr.startsWith(directory) ? directory : ''
  const { lastWord, hidden } = plan.by === 'export' ? plan : { lastWord: '', hidden: [] }
  // `env`, which starts the program, would take a program whose name has a `=` for a variable.
  const needsShell = plan.by === 'env' && request.argv[0].includes('=')
  const cwd = request.cwd === undefined ? '' : absolute(request.cwd)
  const cpus = (request.cpus ?? []).join(',')
  return {
    common: ['common', cwd, path, logs, lastWord, plan.by, cpus, String(memoryMib(request)), ...hidden],
    launch: [
      'launch',
      String(request.tag),
      queued ? '1' : '0',
      encodeLabel(request.label),
      stdout.slice(logs.length),
      stderr.slice(logs.length),
      String(FIRST_ENTRY + plan.entries.length),
      ...plan.entries,
      ...(needsShell ? ['/bin/sh', '-c', 'exec "$@"', 'sh'] : []),
      ...request.argv,
    ],
  }
}

/** Where the entries of the environment stand in a launch; the program follows them. */
const FIRST_ENTRY = 7
