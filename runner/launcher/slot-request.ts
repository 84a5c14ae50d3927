import { resolve } from 'node:path'
import { encodeLabel, memoryMib } from './request.ts'
import type { EnvironmentPlan } from './slot-environment.ts'
import type { LaunchRequest } from './types.ts'

/** Where the bare shell would look without a PATH. */
export const DEFAULT_PATH = '/usr/bin:/bin'

/** A byte that UTF-8 never has: no text can hold it. */
const TEXT_END = 0xfe
const LENGTH_DIGITS = 8

/**
 * What is sent to the stand-in's slots (native/slot.sh): the length of the rest in 8 characters, then the texts, each with its end.
 * With the length ahead bash reads a request in two calls; up to a NUL it would read byte by byte.
 */
export function encodeTexts(texts: readonly string[]): Buffer {
  const frame = Buffer.from(`${' '.repeat(LENGTH_DIGITS)}${texts.join('\0')}\0`)
  for (let at = frame.indexOf(0); at >= 0; at = frame.indexOf(0, at + 1)) frame[at] = TEXT_END
  frame.write(String(frame.length - LENGTH_DIGITS), 'latin1')
  return frame
}

/** Paths are made absolute, since a slot changes directory for the job and stays where the runner was started itself. */
export function encodeForSlot(request: LaunchRequest, queued: boolean, path: string, plan: EnvironmentPlan): Buffer {
  const { lastWord, hidden, entries } = plan.by === 'export' ? plan : { lastWord: '', hidden: [], ...plan }
  // `env`, which starts the program, would take a program whose name has a `=` for a variable.
  const needsShell = plan.by === 'env' && request.argv[0].includes('=')
  return encodeTexts([
    'launch',
    String(request.tag),
    queued ? '1' : '0',
    encodeLabel(request.label),
    request.cwd === undefined ? '' : resolve(request.cwd),
    resolve(request.stdout ?? '/dev/null'),
    request.stderr === 'stdout' ? '' : resolve(request.stderr ?? '/dev/null'),
    path,
    plan.by,
    lastWord,
    String(hidden.length),
    String(entries.length),
    (request.cpus ?? []).join(','),
    String(memoryMib(request)),
    ...hidden,
    ...entries,
    ...(needsShell ? ['/bin/sh', '-c', 'exec "$@"', 'sh'] : []),
    ...request.argv,
  ])
}
