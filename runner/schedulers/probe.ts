import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeScripts } from './script-files.ts'
import type { AllocationRequest, ScriptFile, SiteLimits } from './types.ts'

/** Has a request's files looked at in a directory of their own that is gone afterwards: a dry run leaves nothing. */
export async function probeWithFiles<Result>(
  request: AllocationRequest,
  render: (request: AllocationRequest) => readonly [ScriptFile, ...ScriptFile[]],
  look: (script: string, cwd: string) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-probe-'))
  try {
    return await look(writeScripts(directory, render({ ...request, directory })), directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What of a request is over the site's figures, in words; undefined when nothing is. */
export function limitTrouble(
  { queue, walltimeSeconds, array }: AllocationRequest,
  limits: SiteLimits,
): string | undefined {
  const name = queue ?? limits.defaultQueue
  const longest = name === undefined ? undefined : limits.walltimeSeconds?.[name]
  if (longest !== undefined && walltimeSeconds > longest)
    return `the walltime of ${walltimeSeconds} s is over the ${longest} s of ${name}`
  if (array !== undefined && array.last > limits.arrayMost)
    return `the array's last index ${array.last} is over the ${limits.arrayMost} of the site`
  return undefined
}
